/** A user's connection to the mesh's server with a credential of this home, and which credentials there are. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { connectBus } from "../protocol/bus/nats-bus.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { storedSubject, type Role } from "../protocol/subjects.ts";
import type { Credential } from "./credential.ts";
import type { Home } from "./home.ts";
import { loadIdentity } from "./identity.ts";
import { outdated } from "./mesh-trust.ts";

/** One user's connection; a server that is away or a credential it refuses is one sentence. */
export async function connectAs(
  home: Home,
  credential: Credential,
  waitOnFirstConnect = false,
): Promise<Outcome<Bus>> {
  const { meshKey, role, name } = credential;
  if (meshKey === null) return outdated(credential);
  try {
    const bus = await connectBus({
      servers: home.url,
      creds: credential.creds,
      name: `${role} ${name}`,
      inboxPrefix: credential.inboxPrefix,
      waitOnFirstConnect,
      ...(role === "coordinator" ? {} : { readSubject: (subject) => storedSubject(home.mesh, subject) }),
    });
    return accept(bus);
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    if (error.kind === "denied") {
      return refuse(
        "forbidden",
        `the mesh at ${home.url} does not accept the credential of ${role} ${name}; ask its owner for a new \`trialmesh invite ${role} ${name}\``,
      );
    }
    return refuse("unavailable", downSentence(home));
  }
}

/** What to do is another thing on the machine that has the mesh's keys than on one that joined. */
function downSentence(home: Home): string {
  return loadIdentity(home).ok
    ? `the mesh of ${home.path} is down (nothing answers at ${home.url}); \`trialmesh up --detach\` starts it again, with all that it knew`
    : `no mesh answers at ${home.url}; start it with \`trialmesh up\` on the machine that made it`;
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
