/**
 * Renews the credential of a user whose one is of before each had an account of its own: it gets a token for a key pair that it has made
 * itself, and a little later the old key is taken back. In between both count, so that whoever does not get the answer can ask
 * again. Only for those whose record says that they share the mesh's account; not how they ask (`part/serve-renewal.ts`).
 *
 * VERSION-5: a renewed credential is in the same role and name, the old one ends, and nobody else is renewed.
 */
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Role } from "../protocol/subjects.ts";
import { signedFor, type Joined, type Joining } from "./exchange.ts";
import type { Home } from "./home.ts";
import { exclusively } from "./home-lock.ts";
import type { Identity } from "./identity.ts";
import { pushAccounts } from "./push-account.ts";
import { accountOf, meshAccount } from "./trust.ts";
import { listUsers, readUser, saveUser, sharedUsers, type User } from "./user.ts";

/** `nowS` is Unix time in seconds. */
export function renew(
  home: Home,
  identity: Identity,
  role: Role,
  name: string,
  { publicKey, signingPublicKey }: Joining,
  nowS: number,
): Promise<Outcome<Joined>> {
  return exclusively(home, async () => {
    const known = readUser(home, role, name);
    if (!known.ok) return known;
    const user = known.value;
    if (user === null || user.publicKey === null || user.sharedSigner === undefined)
      return refuse("forbidden", `the credential of ${role} ${name} is not one to renew`);
    if (user.revoked.some((taken) => taken.publicKey === publicKey))
      return refuse("forbidden", `this key of ${role} ${name} was taken back`);
    const others = user.others.filter((key) => key !== user.renewal && key !== publicKey);
    const saved = saveUser(home, { ...user, others: [...others, publicKey], renewal: publicKey });
    if (!saved.ok) return saved;
    if (role !== "coordinator") {
      const own = await accountOf(identity, home.mesh, user, []);
      const told = await pushAccounts(home, identity, [own], nowS);
      if (!told.ok) return told;
    }
    return accept(await signedFor(home.mesh, identity, { role, name, publicKey, signingPublicKey }));
  });
}

/**
 * Takes the old keys of those back that have been renewed and are `due`, by their new key; their names. The server cuts off who
 * still uses an old one.
 */
export function finishRenewals(
  home: Home,
  identity: Identity,
  nowS: number,
  due: (renewal: string) => boolean,
): Promise<Outcome<readonly string[]>> {
  return exclusively(home, async () => {
    const users = listUsers(home);
    if (!users.ok) return users;
    const finished: User[] = [];
    for (const user of sharedUsers(users.value)) {
      const { publicKey, renewal, sharedSigner: _, ...own } = user;
      if (renewal === undefined || publicKey === null || !due(renewal)) continue;
      const lost = [publicKey, ...user.others.filter((key) => key !== renewal)];
      const renewed: User = {
        ...own,
        publicKey: renewal,
        others: [],
        revoked: [...user.revoked, ...lost.map((key) => ({ publicKey: key, at: nowS }))],
      };
      const saved = saveUser(home, renewed);
      if (!saved.ok) return saved;
      finished.push(renewed);
    }
    if (finished.length === 0) return accept([]);
    const now = listUsers(home);
    if (!now.ok) return now;
    const outer = finished.filter(({ role }) => role !== "coordinator");
    const accounts = await Promise.all([
      ...outer.map((user) => accountOf(identity, home.mesh, user, now.value)),
      meshAccount(identity, home.mesh, now.value),
    ]);
    const told = await pushAccounts(home, identity, accounts, nowS);
    if (!told.ok && told.refusal.code !== "unavailable") return told;
    return accept(finished.map(({ name, role }) => `${role} ${name}`));
  });
}
