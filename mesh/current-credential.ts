/**
 * The credential of this home as this version needs it: one of before each user had an account of its own is renewed, by itself, the first
 * time that it is needed and the machine with the mesh's keys answers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { BusError } from "../protocol/bus/bus.ts";
import { connectServer } from "./connect-server.ts";
import { answerSchema } from "../protocol/command.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import { renewalSubject } from "../protocol/renewal.ts";
import type { Role } from "../protocol/subjects.ts";
import { loadCredential, storeCredential, type Credential } from "./credential.ts";
import { joinedSchema, type Joining } from "./exchange.ts";
import { saveHome, type Home } from "./home.ts";
import { credentialOf, ownKeys } from "./join.ts";

const answerTimeoutMs = 5_000;
const asksMax = 3;
const askPauseMs = 500;

/** Loads it, and renews it where it is of an earlier version; `machine` is what this one calls itself. */
export async function currentCredential(
  home: Home,
  role: Role,
  name: string,
  machine: string,
): Promise<Outcome<Credential>> {
  const stored = await loadCredential(home, role, name);
  if (!stored.ok || stored.value.meshKey !== null) return stored;
  const renewed = await renewedCredential(home, stored.value, machine);
  if (renewed.ok) return renewed;
  return refuse(
    renewed.refusal.code,
    `the credential of ${role} ${name} is of an earlier version of trialmesh and was not renewed (${renewed.refusal.message}); ask its owner for a new \`trialmesh invite ${role} ${name}\``,
  );
}

async function renewedCredential(home: Home, old: Credential, machine: string): Promise<Outcome<Credential>> {
  const keys = ownKeys(home.path, `renewal-${old.publicKey}`);
  if (!keys.ok) return keys;
  const joining: Joining = {
    version: 1,
    publicKey: keys.value.user.getPublicKey(),
    signingPublicKey: keys.value.signing.publicKey,
    machine,
    role: old.role,
    mesh: home.mesh,
  };
  const answer = await ask(home, old, joining);
  if (!answer.ok) return answer;
  const joined = parseOutside(joinedSchema, answer.value, "the mesh's answer");
  if (!joined.ok) return joined;
  const credential = await credentialOf(keys.value, joined.value);
  if (!credential.ok) return credential;
  const stored = storeCredential(home, credential.value);
  if (!stored.ok) return stored;
  const current = saveHome(home.path, home.mesh, home.url, home.tls);
  return current.ok ? credential : current;
}

async function ask(home: Home, old: Credential, joining: Joining): Promise<Outcome<unknown>> {
  const { creds, inboxPrefix, name, role } = old;
  try {
    const bus = await connectServer(home, {
      creds,
      name: `${role} ${name}`,
      inboxPrefix,
    });
    try {
      const subject = renewalSubject(home.mesh, role, name);
      for (let asks = 1; ; asks++) {
        try {
          const answer = answerSchema.safeParse(
            fromBytes(await bus.request(subject, toBytes({ renew: joining }), answerTimeoutMs)),
          );
          if (!answer.success) return refuse("invalid", "the mesh answers with something else");
          return answer.data.ok ? accept(answer.data.value) : answer.data;
        } catch (error) {
          if (!(error instanceof BusError) || asks >= asksMax) throw error;
          await sleep(askPauseMs);
        }
      }
    } finally {
      await bus.close();
    }
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return error.kind === "denied"
      ? refuse("forbidden", "the mesh does not accept it any more")
      : refuse("unavailable", "`trialmesh up` does not answer on the machine that made the mesh");
  }
}
