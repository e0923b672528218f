/**
 * Takes up an invitation on this machine: makes key pairs, hands over their public halves for the code, and keeps what
 * comes back. The keys are on disk before anything is asked, so that whoever is interrupted asks again as the same machine.
 * Not who may come (`exchange.ts`).
 */
import { createUser, fromSeed } from "@nats-io/nkeys";
import { join } from "node:path";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { connectServer } from "./connect-server.ts";
import { UntrustedServer } from "../protocol/bus/bus-tls.ts";
import { shortText } from "../protocol/bound.ts";
import { answerSchema } from "../protocol/command.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import { newOwnKey } from "../protocol/signature.ts";
import type { Role } from "../protocol/subjects.ts";
import {
  ensurePrivateFolder,
  parseJsonFile,
  readPrivateFile,
  writePrivateFile,
} from "../system/private-file.ts";
import { roles } from "../protocol/subjects.ts";
import { storedUsers } from "./connect.ts";
import {
  credentialText,
  loadCredential,
  readCredential,
  storeCredential,
  type Credential,
  type UserKeys,
} from "./credential.ts";
import { askedSubject, joiningCredential, joiningInbox } from "./exchange-account.ts";
import { joinedSchema, type Joined, type Joining } from "./exchange.ts";
import type { ServerPlace } from "./server-trust.ts";
import { firstTrust, joiningSentence } from "./first-trust.ts";
import { homeExists, openHome, saveHome, type Home } from "./home.ts";
import { accountOfCode } from "./invitation-code.ts";
import { readInviteLine } from "./invite-line.ts";

const answerTimeoutMs = 10_000;
/** An answer may be lost on its way: asked again, it is the same. */
const asksMax = 3;
const askPauseMs = 1_000;

export interface JoinOptions {
  /** What this machine calls itself, for people. */
  readonly machine: string;
  /** What it means to join as; null: whatever the invitation says. */
  readonly role: Role | null;
  /** Of a server of one's own: the certificate of who signs for it, PEM. */
  readonly ca?: string | null;
}

/**
 * Joins this machine: makes the home (or checks that it belongs to the same mesh) and stores the
 * credential. Running it again with the same line changes nothing, and asks nobody.
 */
export async function acceptInvite(
  path: string,
  line: string,
  { ca = null, machine, role }: JoinOptions,
): Promise<Outcome<{ home: Home; credential: Credential }>> {
  const invited = readInviteLine(line);
  if (!invited.ok) return invited;
  const present = homeExists(path) ? openHome(path) : null;
  if (present !== null && !present.ok) return present;
  const account = accountOfCode(invited.value.code);
  const keys = ownKeys(path, account.getPublicKey());
  if (!keys.ok) return keys;
  const before = present === null ? null : await joinedBefore(present.value, keys.value);
  if (present !== null && before !== null && (role === null || role === before.role))
    return accept({ home: present.value, credential: before });
  const { url } = invited.value;
  const mesh = present?.value.mesh ?? null;
  const tls = await firstTrust(invited.value, ca, Date.now());
  if (!tls.ok) return tls;
  const asked = await ask({ url, tls: tls.value }, await joiningCredential(account), {
    version: 1,
    publicKey: keys.value.user.getPublicKey(),
    signingPublicKey: keys.value.signing.publicKey,
    machine,
    role,
    mesh,
  });
  if (!asked.ok) return asked;
  const credential = await credentialOf(keys.value, asked.value);
  if (!credential.ok) return credential;
  const trust = tls.value?.kind === "mesh" ? { ...tls.value, mesh: asked.value.mesh } : tls.value;
  const home = saveHome(path, asked.value.mesh, url, trust);
  if (!home.ok) return home;
  const stored = storeCredential(home.value, credential.value);
  return stored.ok ? accept({ home: home.value, credential: credential.value }) : stored;
}

export type JoiningKeys = UserKeys & { readonly signing: NonNullable<UserKeys["signing"]> };

const keysSchema = z.object({
  user: shortText,
  signing: z.object({ seed: shortText, publicKey: shortText }),
});

/** The key pairs with which this home asks to be let in for `purpose`: made the first time, the same after that. */
export function ownKeys(path: string, purpose: string): Outcome<JoiningKeys> {
  const folder = ensurePrivateFolder(join(path, "joining"));
  if (!folder.ok) return folder;
  const file = join(folder.value, `${purpose}.json`);
  if (!existsSync(file)) {
    const user = createUser();
    const signing = newOwnKey();
    const seed = new TextDecoder().decode(user.getSeed());
    const written = writePrivateFile(file, `${JSON.stringify({ user: seed, signing })}\n`);
    return written.ok ? accept({ user, signing }) : written;
  }
  const text = readPrivateFile(file);
  if (!text.ok) return text;
  const json = parseJsonFile(file, text.value);
  if (!json.ok) return json;
  const parsed = parseOutside(keysSchema, json.value, file);
  if (!parsed.ok) return parsed;
  try {
    const user = fromSeed(new TextEncoder().encode(parsed.value.user));
    return accept({ user, signing: parsed.value.signing });
  } catch {
    return refuse("invalid", `${file} holds no seed; move it away and ask for a new invitation`);
  }
}

/** The credential that these keys have got here already. */
async function joinedBefore(home: Home, keys: JoiningKeys): Promise<Credential | null> {
  for (const { name, role } of storedUsers(home, roles)) {
    const stored = await loadCredential(home, role, name);
    if (stored.ok && stored.value.publicKey === keys.user.getPublicKey()) return stored.value;
  }
  return null;
}

/** What was signed must be for these keys and for whom the answer names. */
export async function credentialOf(keys: JoiningKeys, joined: Joined): Promise<Outcome<Credential>> {
  const wanted = joined.role === "coordinator" ? keys : { ...keys, signing: null };
  const text = credentialText(wanted, joined.token, joined.certificate);
  const credential = await readCredential(text, "what the mesh answered");
  if (!credential.ok) return credential;
  const { name, publicKey, role } = credential.value;
  const isOurs = role === joined.role && name === joined.name && publicKey === keys.user.getPublicKey();
  return isOurs ? credential : refuse("invalid", "the mesh answered with the credential of somebody else");
}

async function ask({ tls, url }: ServerPlace, creds: string, joining: Joining): Promise<Outcome<Joined>> {
  let bus: Bus;
  try {
    bus = await connectServer({ url, tls }, { creds, name: "joining", inboxPrefix: joiningInbox });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    if (error instanceof UntrustedServer) return refuse("forbidden", joiningSentence(url, error));
    if (error.kind === "denied")
      return refuse(
        "forbidden",
        `the mesh at ${url} knows no such invitation: it is to another mesh, or ended long ago; ask its owner for a new \`trialmesh invite\``,
      );
    return refuse(
      "unavailable",
      `no mesh answers at ${url}; it must be up there, with \`trialmesh up --listen\` for other machines, and then the same line works`,
    );
  }
  try {
    return await askOften(bus, url, joining);
  } finally {
    await bus.close();
  }
}

async function askOften(bus: Bus, url: string, joining: Joining): Promise<Outcome<Joined>> {
  for (let asks = 1; ; asks++) {
    try {
      const bytes = await bus.request(askedSubject, toBytes(joining), answerTimeoutMs);
      const answer = answerSchema.safeParse(fromBytes(bytes));
      if (!answer.success) return refuse("invalid", `the mesh at ${url} answered with something else`);
      return answer.data.ok
        ? parseOutside(joinedSchema, answer.data.value, "the mesh's answer")
        : answer.data;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (asks >= asksMax)
        return refuse(
          "unavailable",
          `the mesh at ${url} is there, but the machine that made it does not answer just now; the same line works once \`trialmesh up\` runs on it`,
        );
      await sleep(askPauseMs);
    }
  }
}
