/** A user's connection to the mesh's server with a credential of this home, and which credentials there are. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { connectServer } from "./connect-server.ts";
import { UntrustedServer } from "../protocol/bus/bus-tls.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { storedSubject, type Role } from "../protocol/subjects.ts";
import type { Credential } from "./credential.ts";
import type { Home } from "./home.ts";
import { loadIdentity } from "./identity.ts";
import { learnAuthority } from "./learn-authority.ts";
import { outdated } from "./mesh-trust.ts";

/** Told while a part waits for its server: why it is not believed just now. */
export type Waiting = (line: string) => void;

const clockPauseMs = 5_000;

/**
 * One user's connection; a server that is away, that is not believed, or that refuses the credential is one sentence. With `waiting` it waits for
 * a server that is away, and for a clock that is wrong.
 */
export async function connectAs(
  home: Home,
  credential: Credential,
  waiting: Waiting | null = null,
): Promise<Outcome<Bus>> {
  const { meshKey, role, name } = credential;
  if (meshKey === null) return outdated(credential);
  let known = home;
  for (;;) {
    try {
      const bus = await connectServer(known, {
        creds: credential.creds,
        name: `${role} ${name}`,
        inboxPrefix: credential.inboxPrefix,
        waitOnFirstConnect: waiting !== null,
        ...(role === "coordinator" ? {} : { readSubject: (subject) => storedSubject(home.mesh, subject) }),
      });
      if (waiting !== null)
        bus.onStatus((event) => {
          if (event.kind === "untrusted") waiting(`waiting: ${event.reason}`);
        });
      return accept(bus);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!(error instanceof UntrustedServer)) return refuseConnection(home, credential, error);
      if (error.fault.kind === "wants-tls" && known.tls === null) {
        const learned = await learnAuthority(home, credential);
        if (!learned.ok) return learned;
        known = learned.value;
      } else if (error.fault.kind === "clock" && waiting !== null) {
        waiting(`waiting: ${error.message}`);
        await sleep(clockPauseMs);
      } else return refuse("forbidden", untrustedSentence(home, credential, error));
    }
  }
}

function refuseConnection(home: Home, { name, role }: Credential, error: BusError): Outcome<never> {
  return error.kind === "denied"
    ? refuse(
        "forbidden",
        `the mesh at ${home.url} does not accept the credential of ${role} ${name}; ask its owner for a new \`trialmesh invite ${role} ${name}\``,
      )
    : refuse("unavailable", downSentence(home));
}

function untrustedSentence(
  { mesh, url }: Home,
  { name, role }: Credential,
  { fault, message }: UntrustedServer,
): string {
  switch (fault.kind) {
    case "foreign":
      return `what answers at ${url} is not mesh ${mesh}, which this home joined: it has another authority; where the mesh was made anew there, ask its owner for a new \`trialmesh invite ${role} ${name}\``;
    case "plain":
      return `${message}: something else answers there, or it was started with \`--tls off\``;
    case "unknown-signer":
      return `${message}; give the certificate of who signed it with \`--ca FILE\` to \`trialmesh up\`, or \`trialmesh join\``;
    case "wants-tls":
    case "clock":
      return message;
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
