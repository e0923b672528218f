/**
 * Credentials of one user: a token that names its role, name and permissions, with the seed that
 * proves it. Not who may have one (`admission.ts`), nor the keys that sign it (`identity.ts`).
 */
import { decode, encodeUser, fmtCreds, parseCreds, type User } from "@nats-io/jwt";
import { createUser, fromSeed, type KeyPair } from "@nats-io/nkeys";
import { existsSync } from "node:fs";
import { nameSchema } from "../protocol/name.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { certificateOf, newOwnKey, type OwnKey, type SigningKey } from "../protocol/signature.ts";
import { inboxPrefixOf, permissionsOf, roles, type Role } from "../protocol/subjects.ts";
import { inHome, type Home } from "./home.ts";
import { payloadMaxBytes, userAccount } from "./account.ts";
import type { Identity } from "./identity.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";

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

/** What a user has for itself, and of which only the public halves travel. Secret. */
export interface UserKeys {
  readonly user: KeyPair;
  /** A coordinator's own, null for everybody else. */
  readonly signing: OwnKey | null;
}

export function newUserKeys(role: Role): UserKeys {
  return { user: createUser(), signing: role === "coordinator" ? newOwnKey() : null };
}

/** The token of a user of this role, signed; who it is is in its permissions, and it counts for whoever has its key. */
export function userToken(
  identity: Identity,
  mesh: string,
  role: Role,
  name: string,
  publicKey: string,
): Promise<string> {
  const { pub, sub } = permissionsOf(role, mesh, name);
  const account = role === "coordinator" ? identity.meshAccount : userAccount(identity, mesh, role, name);
  return encodeUser(
    `${role}/${name}`,
    publicKey,
    account,
    {
      pub: { allow: pub },
      sub: { allow: sub },
      ...(role === "coordinator"
        ? { resp: { max: repliesPerRequest, ttl: replyWindowNs } }
        : { subs: subscriptionsMax, payload: payloadMaxBytes }),
      tags: [`${meshKeyTag}${identity.operator.getPublicKey()}`],
    },
    { signer: identity.signing },
  );
}

/** What vouches for a coordinator's signing key; null for everybody else. */
export function signingCertificate(
  identity: Identity,
  mesh: string,
  name: string,
  signingPublicKey: string | null,
): string | null {
  return signingPublicKey === null
    ? null
    : certificateOf(mesh, name, signingPublicKey, (bytes) => identity.operator.sign(bytes));
}

/** Signs a new user of this role. Does not record it: see `admission.ts`. */
export async function mintCredential(
  identity: Identity,
  mesh: string,
  role: Role,
  name: string,
): Promise<Credential> {
  const keys = newUserKeys(role);
  const token = await userToken(identity, mesh, role, name, keys.user.getPublicKey());
  const certificate = signingCertificate(identity, mesh, name, keys.signing?.publicKey ?? null);
  const credential = await readCredential(credentialText(keys, token, certificate), "a new credential");
  if (!credential.ok) throw new Error(`broken invariant: ${credential.refusal.message}`);
  return credential.value;
}

/** The text of a `.creds` file; a coordinator's has a third block, which NATS clients leave alone. */
export function credentialText(keys: UserKeys, token: string, certificate: string | null): string {
  const text = new TextDecoder().decode(fmtCreds(token, keys.user));
  return keys.signing === null || certificate === null
    ? text
    : text + signingBlock({ seed: keys.signing.seed, certificate });
}

function signingBlock(key: SigningKey | null): string {
  return key === null
    ? ""
    : `\n-----BEGIN TRIALMESH SIGNING KEY-----\n${key.seed} ${key.certificate}\n------END TRIALMESH SIGNING KEY------\n`;
}

function signingKeyIn(text: string): SigningKey | null {
  const found = /-BEGIN TRIALMESH SIGNING KEY-+\n(\S+) (\S+)\n/.exec(text);
  const [, seed, certificate] = found ?? [];
  return seed === undefined || certificate === undefined ? null : { seed, certificate };
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

/**
 * The same user with the same keys, signed anew, where what its role may has changed since it was made; null where it has not.
 */
export async function refreshed(
  identity: Identity,
  mesh: string,
  credential: Credential,
): Promise<Credential | null> {
  const { creds, name, publicKey, role, signingKey } = credential;
  const { key, uc } = await parseCreds(new TextEncoder().encode(creds));
  const token = await userToken(identity, mesh, role, name, publicKey);
  const wanted = decode<User>(token).nats;
  const had: Partial<User> = uc.nats;
  const same = (["pub", "sub", "resp", "subs", "payload"] as const).every(
    (field) => JSON.stringify(had[field]) === JSON.stringify(wanted[field]),
  );
  if (same) return null;
  const text =
    new TextDecoder().decode(fmtCreds(token, fromSeed(new TextEncoder().encode(key)))) +
    signingBlock(signingKey);
  const anew = await readCredential(text, "a credential signed anew");
  if (!anew.ok) throw new Error(`broken invariant: ${anew.refusal.message}`);
  return anew.value;
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
