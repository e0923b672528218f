/**
 * Takes a credential back: records the revocation, signs the user's account anew and hands that to the running server,
 * which cuts the user's connections. INV-9: an invitation of that name that is open is taken back with it.
 */
import { rmSync } from "node:fs";
import { nearestName, suggestion } from "../protocol/name.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { roles, type Role } from "../protocol/subjects.ts";
import { credentialFile } from "./credential.ts";
import type { Home } from "./home.ts";
import { exclusively } from "./home-lock.ts";
import { loadIdentity, type Identity } from "./identity.ts";
import { withdraw } from "./invite.ts";
import { pushAccounts } from "./push-account.ts";
import { accountOf, meshAccount } from "./trust.ts";
import { listUsers, saveUser, type User } from "./user.ts";

/** Users named in a refusal. */
const shownMax = 20;

export interface Revocation {
  readonly role: Role;
  readonly name: string;
  /** Null where nobody had joined under the name yet: the invitation was taken back. */
  readonly publicKey: string | null;
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
  return exclusively(home, async () => {
    const users = listUsers(home);
    if (!users.ok) return users;
    const found = chooseUser(users.value, name, role);
    const wanted = found.ok ? found.value.user.role : role;
    const open = withdraw(
      home,
      nowS,
      (invitation) => invitation.name === name && (wanted === undefined || invitation.role === wanted),
    );
    if (!open.ok) return open;
    if (found.ok) return takeBack(home, identity.value, found.value, nowS);
    const [invited] = open.value;
    return invited === undefined
      ? found
      : accept({ role: invited.role, name, publicKey: null, applied: { when: "now" } });
  });
}

async function takeBack(
  home: Home,
  identity: Identity,
  { publicKey, user }: Live,
  nowS: number,
): Promise<Outcome<Revocation>> {
  const { renewal: _, sharedSigner, ...own } = user;
  const keys = [publicKey, ...user.others].map((key) => ({ publicKey: key, at: nowS }));
  const gone: User = { ...own, publicKey: null, others: [], revoked: [...user.revoked, ...keys] };
  const saved = saveUser(home, gone);
  if (!saved.ok) return saved;
  rmSync(credentialFile(home, user.role, user.name), { force: true });
  const all = listUsers(home);
  if (!all.ok) return all;
  const accounts = [await accountOf(identity, home.mesh, gone, all.value)];
  if (sharedSigner !== undefined) accounts.push(await meshAccount(identity, home.mesh, all.value));
  const pushed = await pushAccounts(home, identity, accounts, nowS);
  if (!pushed.ok && pushed.refusal.code !== "unavailable") return pushed;
  return accept({
    role: user.role,
    name: user.name,
    publicKey,
    applied: pushed.ok ? { when: "now" } : { when: "at-next-start", reason: pushed.refusal.message },
  });
}

interface Live {
  readonly user: User;
  readonly publicKey: string;
}

function chooseUser(users: readonly User[], name: string, role?: Role): Outcome<Live> {
  const named = users.filter((user) => user.name === name && (role === undefined || user.role === role));
  const live = named.flatMap((user) =>
    user.publicKey === null ? [] : [{ user, publicKey: user.publicKey }],
  );
  const [first, second] = live;
  if (first?.user.role === "owner" && second === undefined) return refuse("forbidden", ownersOwn);
  if (first !== undefined && second === undefined) return accept(first);
  if (first !== undefined) {
    const which = live.map(({ user }) => `${user.role} ${user.name}`).join(", ");
    return refuse("invalid", `several users are named ${name} (${which}); say which with its role`);
  }
  const what = role ?? "user";
  if (named.length > 0) return refuse("conflict", `${what} ${name} is already revoked`);
  return refuse("unknown", `there is no ${what} named ${name}; ${likeOrKnown(name, users)}`);
}

const ownersOwn =
  "the owner's credential comes of the mesh's keys, which lie on this machine: who has them is the owner; to end the mesh, use `trialmesh down`";

/** The nearest name, or who there is, each with the role that `--role` takes. */
function likeOrKnown(name: string, users: readonly User[]): string {
  const known = users.filter(({ publicKey, role }) => publicKey !== null && role !== "owner");
  const nearest = nearestName(name, new Set(known.map((user) => user.name)));
  const shown = nearest === null ? known : known.filter((user) => user.name === nearest);
  const list = shown.slice(0, shownMax).map((user) => `${user.role} ${user.name}`);
  const rest = shown.length > shownMax ? ` and ${shown.length - shownMax} more` : "";
  if (list.length === 0) return "nobody has joined";
  return nearest === null ? `known: ${list.join(", ")}${rest}` : `did you mean ${list.join(" or ")}?`;
}

/** Narrows a role given on a command line. */
export function anyRole(role: string): Outcome<Role> {
  const known = roles.find((candidate) => candidate === role);
  return known === undefined
    ? refuse("unknown", `there is no role "${role}"; ${suggestion(role, roles)}`)
    : accept(known);
}
