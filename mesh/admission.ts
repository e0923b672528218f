/**
 * Who may enter the mesh under which name: records a user's public key and tells the running server of it.
 * Not what a credential is (`credential.ts`), who was invited (`invitation.ts`), nor how one is taken back (`revoke.ts`).
 */
import { existsSync } from "node:fs";
import { nameSchema } from "../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Role } from "../protocol/subjects.ts";
import {
  credentialFile,
  loadCredential,
  mintCredential,
  refreshed,
  storeCredential,
  type Credential,
} from "./credential.ts";
import type { Home } from "./home.ts";
import { loadIdentity, type Identity } from "./identity.ts";
import { pushAccounts } from "./push-account.ts";
import { accountOf, meshAccount } from "./trust.ts";
import { listUsers, readUser, saveUser, type User } from "./user.ts";

/** People work on several machines under one name; an agent or a coordinator runs once. */
const onSeveralMachines: readonly Role[] = ["requester", "viewer"];

/** Why nobody can join under this name; null where somebody can. */
export function nameProblem({ name, role }: Pick<User, "name" | "role">, known: User | null): string | null {
  // Whoever joins again from the first layout gets an account of its own, and what it had until then ends.
  if (known === null || known.publicKey === null || known.sharedSigner !== undefined) return null;
  return `${role} ${name} already has a credential; revoke it first with \`trialmesh revoke ${name}\`, or choose another name`;
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
  if (existsSync(credentialFile(home, role, name))) return loadCurrent(home, role, name);
  return issueHere(home, role, name, nowS);
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
  if (existsSync(credentialFile(home, role, name))) return loadCurrent(home, role, name);
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

/** The stored one, signed anew where another version of trialmesh made it and what its role may has changed. */
async function loadCurrent(home: Home, role: Role, name: string): Promise<Outcome<Credential>> {
  const stored = await loadCredential(home, role, name);
  if (!stored.ok) return stored;
  const identity = loadIdentity(home);
  const current = identity.ok ? await refreshed(identity.value, home.mesh, stored.value) : null;
  if (current === null) return stored;
  const saved = storeCredential(home, current);
  return saved.ok ? accept(current) : saved;
}

/** Makes, stores and records a user's first credential, of whoever nobody has joined as. */
export async function issueHere(
  home: Home,
  role: Role,
  name: string,
  nowS: number,
): Promise<Outcome<Credential>> {
  const checked = parseOutside(nameSchema, name, `the ${role}'s name`);
  if (!checked.ok) return checked;
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const known = readUser(home, role, name);
  if (!known.ok) return known;
  const taken = nameProblem({ role, name }, known.value);
  if (taken !== null) return refuse("conflict", taken);
  // A process of this machine takes nobody's name who is elsewhere.
  if (known.value !== null && known.value.publicKey !== null)
    return refuse("conflict", `${role} ${name} already has a credential elsewhere; choose another name`);
  const credential = await mintCredential(identity.value, home.mesh, role, name);
  // Before the record: a disk that fills up in between must not leave a name taken by a lost key.
  const stored = storeCredential(home, credential);
  if (!stored.ok) return stored;
  const admitted = await admit(home, identity.value, { role, name, publicKey: credential.publicKey }, nowS);
  return admitted.ok ? accept(credential) : admitted;
}

export interface Entrant {
  readonly role: Role;
  readonly name: string;
  /** Of its own key pair. */
  readonly publicKey: string;
}

/**
 * Records that this key is this user, and tells the server; doing it again changes nothing. INV-9: refuses a key that was
 * taken back, and a name that is in use. `nowS` is Unix time in seconds.
 */
export async function admit(
  home: Home,
  identity: Identity,
  { name, publicKey, role }: Entrant,
  nowS: number,
): Promise<Outcome<null>> {
  const known = readUser(home, role, name);
  if (!known.ok) return known;
  const before = known.value;
  const live = before === null ? [] : [before.publicKey, ...before.others];
  if (before?.revoked.some((taken) => taken.publicKey === publicKey) === true)
    return refuse(
      "forbidden",
      `${role} ${name} was revoked; ask the mesh's owner for a new \`trialmesh invite\``,
    );
  const fresh: Omit<User, "revoked"> = { version: 1, role, name, publicKey, others: [], issuedAt: nowS };
  const replaces = before?.sharedSigner !== undefined && before.publicKey !== null;
  let user: User;
  if (before !== null && live.includes(publicKey)) user = before;
  else if (before === null || before.publicKey === null) user = { ...fresh, revoked: before?.revoked ?? [] };
  else if (replaces) {
    const lost = [before.publicKey, ...before.others].map((key) => ({ publicKey: key, at: nowS }));
    user = { ...fresh, revoked: [...before.revoked, ...lost] };
  } else if (onSeveralMachines.includes(role)) user = { ...before, others: [...before.others, publicKey] };
  else return refuse("conflict", nameProblem({ role, name }, before) ?? `${role} ${name} is taken`);
  const saved = saveUser(home, user);
  return saved.ok ? tellServer(home, identity, user, replaces, nowS) : saved;
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
