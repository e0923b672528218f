/**
 * Connects a command to the mesh of this home as one of its people, and ends the connection after it.
 * Who it is: `--as NAME`, else the owner where the mesh was made here, else the only one who joined here.
 */
import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ensureCredential, loadCredential, type Credential } from "../mesh/credential.ts";
import { homePath, openHome, type Home } from "../mesh/home.ts";
import { loadIdentity } from "../mesh/identity.ts";
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { connectBus } from "../protocol/bus/nats-bus.ts";
import { openClient, type MeshClient } from "../protocol/client.ts";
import { suggestion } from "../protocol/name.ts";
import { meshOwner } from "../protocol/program.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Role } from "../protocol/subjects.ts";
import { systemClock } from "../protocol/system-clock.ts";
import type { ExitCode } from "./exit-code.ts";
import { printRefusal, type PrintOptions } from "./print/answer.ts";
import type { Terminal } from "./terminal.ts";

/** The name of the person who made the mesh, as an account and as a user. */
export const ownerName = meshOwner;
const personRoles: readonly Role[] = ["owner", "requester", "viewer"];

export interface MeshOptions extends PrintOptions {
  /** A requester or viewer by name. */
  readonly as?: string;
}

export interface Connected {
  readonly home: Home;
  readonly bus: Bus;
  readonly client: MeshClient;
}

export async function withMesh(
  terminal: Terminal,
  options: MeshOptions,
  use: (connected: Connected) => Promise<ExitCode>,
): Promise<ExitCode> {
  const connected = await connectMesh(terminal.environment, options.as);
  if (!connected.ok) return printRefusal(terminal, options, connected.refusal);
  try {
    return await use(connected.value);
  } finally {
    await connected.value.client.close();
  }
}

export async function connectMesh(
  environment: Terminal["environment"],
  as?: string,
): Promise<Outcome<Connected>> {
  const home = openHome(homePath(environment));
  if (!home.ok) return home;
  const person = await personOf(home.value, as);
  if (!person.ok) return person;
  const bus = await connectAs(home.value, person.value);
  if (!bus.ok) return bus;
  const client = openClient({
    mesh: home.value.mesh,
    role: person.value.role,
    who: person.value.name,
    bus: bus.value,
    clock: systemClock,
    newKey: randomUUID,
  });
  if (client.role !== "viewer") return accept({ home: home.value, bus: bus.value, client });
  // The server denies it too, but in the words of subjects and permissions.
  const sentence = `viewer ${client.who} may look and change nothing; ask the mesh's owner for \`trialmesh invite requester NAME\``;
  const looking: MeshClient = { ...client, command: () => Promise.resolve(refuse("forbidden", sentence)) };
  return accept({ home: home.value, bus: bus.value, client: looking });
}

/** One user's connection; a server that is away or a credential it refuses is one sentence. */
export async function connectAs(
  home: Home,
  credential: Credential,
  waitOnFirstConnect = false,
): Promise<Outcome<Bus>> {
  const { role, name } = credential;
  try {
    const bus = await connectBus({
      servers: home.url,
      creds: credential.creds,
      name: `${role} ${name}`,
      inboxPrefix: credential.inboxPrefix,
      waitOnFirstConnect,
    });
    return accept(bus);
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    if (error.kind === "denied") {
      return refuse(
        "forbidden",
        `the mesh at ${home.url} does not accept the credential of ${role} ${name}; ask its owner for a new \`trialmesh invite\``,
      );
    }
    return refuse(
      "unavailable",
      `no mesh answers at ${home.url}; start it with \`trialmesh up\` on the machine that made it`,
    );
  }
}

async function personOf(home: Home, as: string | undefined): Promise<Outcome<Credential>> {
  const identity = loadIdentity(home);
  const nowS = Math.floor(Date.now() / 1000);
  if (identity.ok) {
    if (as === undefined || as === ownerName) return ensureCredential(home, "owner", ownerName, nowS);
    // On the owner's machine a requester who was never invited elsewhere may still be acted for.
    const stored = storedPeople(home).find((person) => person.name === as);
    if (stored !== undefined) return loadCredential(home, stored.role, stored.name);
    return ensureCredential(home, "requester", as, nowS);
  }
  if (identity.refusal.code !== "forbidden") return identity;
  const stored = storedPeople(home);
  const [first, second] = as === undefined ? stored : stored.filter((person) => person.name === as);
  if (first === undefined) {
    const names = stored.map((person) => person.name);
    if (as !== undefined && names.length > 0)
      return refuse("unknown", `${home.path} holds no credential of "${as}", ${suggestion(as, names)}`);
    return refuse(
      "forbidden",
      `${home.path} holds no credential to ask the mesh with; ask its owner for \`trialmesh invite requester NAME\``,
    );
  }
  if (second !== undefined)
    return refuse(
      "invalid",
      `several people joined here (${stored.map((person) => person.name).join(", ")}); say which with --as NAME`,
    );
  return loadCredential(home, first.role, first.name);
}

export interface StoredUser {
  readonly role: Role;
  readonly name: string;
}

/** Users of these roles whose credentials lie in the home. */
export function storedUsers(home: Home, wanted: readonly Role[]): readonly StoredUser[] {
  let files: string[];
  try {
    files = readdirSync(join(home.path, "creds"));
  } catch {
    return [];
  }
  return files.toSorted().flatMap((file) => {
    const [roleText, name, ending] = file.split(".");
    const role = wanted.find((known) => known === roleText);
    return role !== undefined && name !== undefined && ending === "creds" ? [{ role, name }] : [];
  });
}

function storedPeople(home: Home): readonly StoredUser[] {
  return storedUsers(home, personRoles);
}
