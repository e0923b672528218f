/**
 * Credentials of one user: a token that names its role, name and permissions, with the seed that
 * proves it. Not who may have one (`invite.ts`), nor the keys that sign it (`identity.ts`).
 */
import { encodeUser, fmtCreds, parseCreds } from "@nats-io/jwt";
import { createUser } from "@nats-io/nkeys";
import { existsSync } from "node:fs";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { nameSchema } from "../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import { newSigningKey, type SigningKey } from "../protocol/signature.ts";
import { inboxPrefixOf, permissionsOf, roles, type Role } from "../protocol/subjects.ts";
import { inHome, type Home } from "./home.ts";
import { userAccount } from "./account.ts";
import { loadIdentity, type Identity } from "./identity.ts";
import { pushAccounts } from "./push-account.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";
import { accountOf, meshAccount } from "./trust.ts";
import { listUsers, readUser, saveUser, type User } from "./user.ts";

export interface Credential {
  readonly role: Role;
  readonly name: string;
  readonly publicKey: string;
  /** The text of a `.creds` file. Secret. */
  readonly creds: string;
  /** Give this to the client as `inboxPrefix`: replies to any other inbox are denied. */
  readonly inboxPrefix: string;
  /** The mesh's public operator key, by which its coordinators are known; null in a credential of before there was one. */
  readonly meshKey: string | null;
  /** A coordinator's own, null for everybody else. Secret. */
  readonly signingKey: SigningKey | null;
}

/** A user may answer each request it got once, within this time. */
const replyWindowNs = 120 * 1_000_000_000;
const repliesPerRequest = 1;
/** Before the mesh's key in a user's token. */
const meshKeyTag = "mesh-key:";
/** Subscriptions of one connection. */
const subscriptionsMax = 200;
/** Of one message: what the server takes by itself, whatever its own configuration says. */
const payloadMaxBytes = bytesPerMiB;

/** Signs a new user of this role. Does not record it: see `issueCredential`. */
export async function mintCredential(
  identity: Identity,
  mesh: string,
  role: Role,
  name: string,
): Promise<Credential> {
  const pair = createUser();
  const { pub, sub } = permissionsOf(role, mesh, name);
  const meshKey = identity.operator.getPublicKey();
  const account = role === "coordinator" ? identity.meshAccount : userAccount(identity, mesh, role, name);
  const token = await encodeUser(
    `${role}/${name}`,
    pair,
    account,
    {
      pub: { allow: pub },
      sub: { allow: sub },
      ...(role === "coordinator"
        ? { resp: { max: repliesPerRequest, ttl: replyWindowNs } }
        : { subs: subscriptionsMax, payload: payloadMaxBytes }),
      tags: [`${meshKeyTag}${meshKey}`],
    },
    { signer: identity.signing },
  );
  const signingKey =
    role === "coordinator" ? newSigningKey(mesh, name, (bytes) => identity.operator.sign(bytes)) : null;
  const creds = new TextDecoder().decode(fmtCreds(token, pair)) + signingKeyText(signingKey);
  const publicKey = pair.getPublicKey();
  return { role, name, publicKey, creds, inboxPrefix: inboxPrefixOf(role, name), meshKey, signingKey };
}

/** A third block of a coordinator's `.creds` file, which NATS clients leave alone. */
function signingKeyText(key: SigningKey | null): string {
  return key === null
    ? ""
    : `\n-----BEGIN TRIALMESH SIGNING KEY-----\n${key.seed} ${key.certificate}\n------END TRIALMESH SIGNING KEY------\n`;
}

function signingKeyIn(text: string): SigningKey | null {
  const found = /-BEGIN TRIALMESH SIGNING KEY-+\n(\S+) (\S+)\n/.exec(text);
  const [, seed, certificate] = found ?? [];
  return seed === undefined || certificate === undefined ? null : { seed, certificate };
}

/** Signs a user and records it. Refuses a name that already has a live credential in that role. */
export function issueCredential(
  home: Home,
  role: Role,
  name: string,
  nowS: number,
): Promise<Outcome<Credential>> {
  return issue(home, role, name, nowS, false);
}

/** The stored credential of a process on this machine; made, stored and recorded the first time. */
export async function ensureCredential(
  home: Home,
  role: Role,
  name: string,
  nowS: number,
): Promise<Outcome<Credential>> {
  const known = readUser(home, role, name);
  if (!known.ok) return known;
  if (known.value !== null && known.value.publicKey === null) {
    return refuse(
      "forbidden",
      `${role} ${name} was revoked; use another name, or invite it again with \`trialmesh invite\``,
    );
  }
  if (existsSync(credentialFile(home, role, name))) return loadCredential(home, role, name);
  return issue(home, role, name, nowS, true);
}

/**
 * Another credential of somebody who was invited, to act for them on this machine, which holds the mesh's keys: in their
 * role, so it may no more than they may. Made, stored and recorded the first time.
 */
export async function ensureOwnCredential(
  home: Home,
  role: Role,
  name: string,
): Promise<Outcome<Credential>> {
  if (existsSync(credentialFile(home, role, name))) return loadCredential(home, role, name);
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const known = readUser(home, role, name);
  if (!known.ok) return known;
  if (known.value === null) return refuse("unknown", `nobody was invited as ${role} ${name}`);
  const credential = await mintCredential(identity.value, home.mesh, role, name);
  const stored = storeCredential(home, credential);
  if (!stored.ok) return stored;
  const saved = saveUser(home, { ...known.value, others: [...known.value.others, credential.publicKey] });
  return saved.ok ? accept(credential) : saved;
}

async function issue(
  home: Home,
  role: Role,
  name: string,
  nowS: number,
  store: boolean,
): Promise<Outcome<Credential>> {
  const checked = parseOutside(nameSchema, name, `the ${role}'s name`);
  if (!checked.ok) return checked;
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const known = readUser(home, role, name);
  if (!known.ok) return known;
  const before = known.value?.publicKey ?? null;
  // Whoever is invited again from the first layout gets an account of its own, and what it had until now ends.
  const replaces = !store && known.value?.sharedSigner !== undefined && before !== null;
  if (before !== null && !replaces) {
    return refuse(
      "conflict",
      `${role} ${name} already has a credential; revoke it first with \`trialmesh revoke ${name}\`, or choose another name`,
    );
  }
  const credential = await mintCredential(identity.value, home.mesh, role, name);
  if (store) {
    // Before the record: a disk that fills up in between must not leave a name taken by a lost key.
    const stored = storeCredential(home, credential);
    if (!stored.ok) return stored;
  }
  const user: User = {
    version: 1,
    role,
    name,
    publicKey: credential.publicKey,
    others: [],
    issuedAt: nowS,
    revoked: [...(known.value?.revoked ?? []), ...(replaces ? [{ publicKey: before, at: nowS }] : [])],
  };
  const saved = saveUser(home, user);
  if (!saved.ok) return saved;
  const told = await tellServer(home, identity.value, user, replaces, nowS);
  return told.ok ? accept(credential) : told;
}

/**
 * Of a user's account, and where it `replaces` a credential for the mesh's own, of that too; a server that is down learns
 * of it when it starts. Coordinators enter the mesh's, which it knows.
 */
async function tellServer(
  home: Home,
  identity: Identity,
  user: User,
  replaces: boolean,
  nowS: number,
): Promise<Outcome<null>> {
  if (user.role === "coordinator" && !replaces) return accept(null);
  const users = listUsers(home);
  if (!users.ok) return users;
  const accounts = [await accountOf(identity, home.mesh, user, users.value)];
  if (replaces && user.role !== "coordinator")
    accounts.push(await meshAccount(identity, home.mesh, users.value));
  const told = await pushAccounts(home, identity, accounts, nowS);
  return told.ok || told.refusal.code === "unavailable" ? accept(null) : told;
}

/** The stored credential of this role and name. */
export async function loadCredential(home: Home, role: Role, name: string): Promise<Outcome<Credential>> {
  const path = credentialFile(home, role, name);
  if (!existsSync(path)) return refuse("unknown", `${home.path} holds no credential of ${role} ${name}`);
  const text = readPrivateFile(path);
  if (!text.ok) return text;
  const credential = await readCredential(text.value, path);
  if (!credential.ok) return credential;
  if (credential.value.role !== role || credential.value.name !== name) {
    return refuse(
      "invalid",
      `${path} holds the credential of ${credential.value.role} ${credential.value.name}, not of ${role} ${name}`,
    );
  }
  return credential;
}

export function storeCredential(home: Home, credential: Credential): Outcome<string> {
  return writePrivateFile(credentialFile(home, credential.role, credential.name), credential.creds);
}

/** Reads the text of a `.creds` file and checks its signature. `what` names its source in a refusal. */
export async function readCredential(text: string, what: string): Promise<Outcome<Credential>> {
  const bad = refuse(
    "invalid",
    `${what} is not a credential of trialmesh; ask for a new line from \`trialmesh invite\``,
  );
  try {
    const { uc } = await parseCreds(new TextEncoder().encode(text));
    const [roleText, nameText] = uc.name.split("/");
    const role = roles.find((known) => known === roleText);
    const name = nameSchema.safeParse(nameText);
    if (role === undefined || !name.success) return bad;
    return accept({
      role,
      name: name.data,
      publicKey: uc.sub,
      creds: text,
      inboxPrefix: inboxPrefixOf(role, name.data),
      meshKey: uc.nats.tags?.find((tag) => tag.startsWith(meshKeyTag))?.slice(meshKeyTag.length) ?? null,
      signingKey: signingKeyIn(text),
    });
  } catch {
    return bad;
  }
}

export function credentialFile(home: Home, role: Role, name: string): string {
  return inHome(home.path, "creds", `${role}.${name}.creds`);
}
