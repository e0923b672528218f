/**
 * Credentials of one user: a token that names its role, name and permissions, with the seed that
 * proves it. Not who may have one (`invite.ts`), nor the keys that sign it (`identity.ts`).
 */
import { encodeUser, fmtCreds, parseCreds } from "@nats-io/jwt";
import { createUser } from "@nats-io/nkeys";
import { existsSync } from "node:fs";
import { nameSchema } from "../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import { inboxPrefixOf, permissionsOf, roles, type Role } from "../protocol/subjects.ts";
import { inHome, type Home } from "./home.ts";
import { loadIdentity, type Identity } from "./identity.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";
import { readUser, saveUser } from "./user.ts";

export interface Credential {
  readonly role: Role;
  readonly name: string;
  readonly publicKey: string;
  /** The text of a `.creds` file. Secret. */
  readonly creds: string;
  /** Give this to the client as `inboxPrefix`: replies to any other inbox are denied. */
  readonly inboxPrefix: string;
}

/** A user may answer each request it got once, within this time. */
const replyWindowNs = 120 * 1_000_000_000;
const repliesPerRequest = 1;
const systemUserLifeS = 60;

/** Signs a new user of this role. Does not record it: see `issueCredential`. */
export async function mintCredential(
  identity: Identity,
  mesh: string,
  role: Role,
  name: string,
): Promise<Credential> {
  const pair = createUser();
  const { pub, sub } = permissionsOf(role, mesh, name);
  const answers = role === "coordinator" || role === "agent";
  const token = await encodeUser(
    `${role}/${name}`,
    pair,
    identity.meshAccount,
    {
      pub: { allow: pub },
      sub: { allow: sub },
      ...(answers ? { resp: { max: repliesPerRequest, ttl: replyWindowNs } } : {}),
    },
    { signer: identity.signing },
  );
  const creds = new TextDecoder().decode(fmtCreds(token, pair));
  return { role, name, publicKey: pair.getPublicKey(), creds, inboxPrefix: inboxPrefixOf(role, name) };
}

/** A user of the system account that lives a minute: enough to hand the server one update. */
export async function mintSystemCredential(identity: Identity, nowS: number): Promise<string> {
  const pair = createUser();
  const token = await encodeUser("system", pair, identity.systemAccount, {}, { exp: nowS + systemUserLifeS });
  return new TextDecoder().decode(fmtCreds(token, pair));
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
  if (known.value !== null && known.value.publicKey !== null) {
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
  const saved = saveUser(home, {
    version: 1,
    role,
    name,
    publicKey: credential.publicKey,
    issuedAt: nowS,
    revoked: known.value?.revoked ?? [],
  });
  return saved.ok ? accept(credential) : saved;
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
    });
  } catch {
    return bad;
  }
}

export function credentialFile(home: Home, role: Role, name: string): string {
  return inHome(home.path, "creds", `${role}.${name}.creds`);
}
