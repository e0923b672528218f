/**
 * Connects to the mesh of this home as one of its people.
 * Who it is: `--as NAME`, else the owner where the mesh was made here, else the only one who joined here.
 */
import { randomUUID } from "node:crypto";
import { ensureCredential, ensureOwnCredential, issueHere } from "../../mesh/admission.ts";
import { loadCredential, type Credential } from "../../mesh/credential.ts";
import { currentCredential } from "../../mesh/current-credential.ts";
import { machineName } from "../../mesh/part/machine-name.ts";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { connectAs, storedUsers, type StoredUser } from "../../mesh/connect.ts";
import { loadIdentity } from "../../mesh/identity.ts";
import { listInvitations, stateOf } from "../../mesh/invitation.ts";
import { listUsers } from "../../mesh/user.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { openClient, type MeshClient } from "../../protocol/client.ts";
import { suggestion } from "../../protocol/name.ts";
import { meshOwner } from "../../protocol/program.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Role } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Environment } from "../../system/environment.ts";

const personRoles: readonly Role[] = ["owner", "requester", "viewer"];

export interface Connected {
  readonly home: Home;
  readonly bus: Bus;
  readonly client: MeshClient;
}

export async function connectMesh(environment: Environment, as?: string): Promise<Outcome<Connected>> {
  const home = openHome(homePath(environment));
  if (!home.ok) return home;
  const person = await personOf(home.value, as, environment);
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

/**
 * On the machine with the mesh's keys: somebody who was invited, in the role they were invited in, or whose account the
 * owner opened, as a requester. No other name, which would be a slip more often than a person.
 */
async function actFor(
  home: Home,
  as: string,
  nowS: number,
  environment: Environment,
): Promise<Outcome<Credential>> {
  const stored = storedPeople(home).find((person) => person.name === as);
  if (stored !== undefined) return loadCredential(home, stored.role, stored.name);
  const users = listUsers(home);
  if (!users.ok) return users;
  const people = users.value.filter(
    ({ publicKey, role }) => publicKey !== null && personRoles.includes(role),
  );
  const invited = people.find(({ name }) => name === as);
  if (invited !== undefined) return ensureOwnCredential(home, invited.role, as);
  const invitations = listInvitations(home);
  if (!invitations.ok) return invitations;
  const open = invitations.value.filter(
    (invitation) => stateOf(invitation, nowS) === "open" && personRoles.includes(invitation.role),
  );
  const expected = open.find(({ name }) => name === as);
  if (expected !== undefined) return issueHere(home, expected.role, as, nowS);
  const accounts = await accountNames(environment);
  if (!accounts.ok) return accounts;
  if (accounts.value.includes(as)) return ensureCredential(home, "requester", as, nowS);
  const known = new Set([...[...people, ...open].map(({ name }) => name), ...accounts.value]);
  return refuse(
    "unknown",
    `nobody named "${as}" was invited, and no account is open for them; ${suggestion(as, known)}; \`trialmesh account open ${as}\` opens one`,
  );
}

/** Whose accounts are open, asked as the owner. */
async function accountNames(environment: Environment): Promise<Outcome<readonly string[]>> {
  const owner = await connectMesh(environment);
  if (!owner.ok) return owner;
  const { client } = owner.value;
  const answer = await client.query("budget", {});
  await client.close();
  return answer.ok ? accept(answer.value.accounts.map(({ requester }) => requester)) : answer;
}

async function personOf(
  home: Home,
  as: string | undefined,
  environment: Environment,
): Promise<Outcome<Credential>> {
  const identity = loadIdentity(home);
  const nowS = Math.floor(Date.now() / 1000);
  if (identity.ok) {
    if (as === undefined || as === meshOwner) return ensureCredential(home, "owner", meshOwner, nowS);
    return actFor(home, as, nowS, environment);
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
  return currentCredential(home, first.role, first.name, machineName());
}

function storedPeople(home: Home): readonly StoredUser[] {
  return storedUsers(home, personRoles);
}
