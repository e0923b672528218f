/**
 * Takes a credential back: records the revocation, signs the user's account anew and hands that to the running server,
 * which cuts the user's connections.
 */
import { rmSync } from "node:fs";
import { suggestion } from "../protocol/name.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { roles, type Role } from "../protocol/subjects.ts";
import { credentialFile } from "./credential.ts";
import type { Home } from "./home.ts";
import { loadIdentity } from "./identity.ts";
import { pushAccounts } from "./push-account.ts";
import { accountOf, meshAccount } from "./trust.ts";
import { listUsers, saveUser, type User } from "./user.ts";

export interface Revocation {
  readonly role: Role;
  readonly name: string;
  readonly publicKey: string;
  /** Whether the running server knows of it, or will learn it when it next starts. */
  readonly applied: { readonly when: "now" } | { readonly when: "at-next-start"; readonly reason: string };
}

/** Revokes by name; `role` is needed only where several users share it. `nowS` is Unix time in seconds. */
export async function revokeUser(
  home: Home,
  name: string,
  nowS: number,
  role?: Role,
): Promise<Outcome<Revocation>> {
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const users = listUsers(home);
  if (!users.ok) return users;
  const found = chooseUser(users.value, name, role);
  if (!found.ok) return found;
  const { user, publicKey } = found.value;
  const { sharedSigner, ...own } = user;
  const keys = [publicKey, ...user.others].map((key) => ({ publicKey: key, at: nowS }));
  const gone: User = { ...own, publicKey: null, others: [], revoked: [...user.revoked, ...keys] };
  const saved = saveUser(home, gone);
  if (!saved.ok) return saved;
  rmSync(credentialFile(home, user.role, user.name), { force: true });
  const all = listUsers(home);
  if (!all.ok) return all;
  const account = await (sharedSigner === undefined
    ? accountOf(identity.value, home.mesh, gone, all.value)
    : meshAccount(identity.value, home.mesh, all.value));
  const pushed = await pushAccounts(home, identity.value, [account], nowS);
  if (!pushed.ok && pushed.refusal.code !== "unavailable") return pushed;
  return accept({
    role: user.role,
    name: user.name,
    publicKey,
    applied: pushed.ok ? { when: "now" } : { when: "at-next-start", reason: pushed.refusal.message },
  });
}

function chooseUser(
  users: readonly User[],
  name: string,
  role?: Role,
): Outcome<{ user: User; publicKey: string }> {
  const named = users.filter((user) => user.name === name && (role === undefined || user.role === role));
  const live = named.flatMap((user) =>
    user.publicKey === null ? [] : [{ user, publicKey: user.publicKey }],
  );
  const [first, second] = live;
  if (first !== undefined && second === undefined) return accept(first);
  if (first !== undefined) {
    const which = live.map(({ user }) => `${user.role} ${user.name}`).join(", ");
    return refuse("invalid", `several users are named ${name} (${which}); say which with its role`);
  }
  const what = role ?? "user";
  if (named.length > 0) return refuse("conflict", `${what} ${name} is already revoked`);
  const known = users.filter((user) => user.publicKey !== null).map((user) => user.name);
  return refuse("unknown", `there is no ${what} named ${name}; ${suggestion(name, known)}`);
}

/** Narrows a role given on a command line. */
export function anyRole(role: string): Outcome<Role> {
  const known = roles.find((candidate) => candidate === role);
  return known === undefined
    ? refuse("unknown", `there is no role "${role}"; ${suggestion(role, roles)}`)
    : accept(known);
}
