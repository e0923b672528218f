/**
 * Brings the home that made a mesh from its first layout, in which all users shared one account, to today's. What the
 * old signing key has signed is worth nothing afterwards: such a credential could have the streams' interface called
 * through a reply. Users whose credentials lie here get new ones under the same names; the others are told to ask for
 * an invitation (`connect.ts`), and their names are free for it.
 * A crash half way through leaves the old version in `mesh.json`, and all of it is done again.
 */
import { accept, type Outcome } from "../protocol/refusal.ts";
import { storedUsers } from "./connect.ts";
import { mintCredential, storeCredential } from "./credential.ts";
import { saveHome, type Home } from "./home.ts";
import { keysOf, renewSigning } from "./identity.ts";
import { roles } from "../protocol/subjects.ts";
import { listUsers, saveUser } from "./user.ts";

/** Names as `role name`. */
export interface UpgradedHome {
  readonly home: Home;
  readonly reissued: readonly string[];
  /** Users elsewhere, whose credentials are no longer accepted. */
  readonly invalid: readonly string[];
}

/** `nowS` is Unix time in seconds. */
export async function upgradeHome(home: Home, nowS: number): Promise<Outcome<UpgradedHome>> {
  const renewed = renewSigning(home);
  if (!renewed.ok) return renewed;
  const identity = keysOf(home);
  if (!identity.ok) return identity;
  const users = listUsers(home);
  if (!users.ok) return users;
  const here = storedUsers(home, roles);
  const reissued: string[] = [];
  const invalid: string[] = [];
  for (const user of users.value) {
    const { name, publicKey, role } = user;
    if (publicKey === null) continue;
    const revoked = [...user.revoked, { publicKey, at: nowS }];
    if (here.some((stored) => stored.role === role && stored.name === name)) {
      const credential = await mintCredential(identity.value, home.mesh, role, name);
      const stored = storeCredential(home, credential);
      if (!stored.ok) return stored;
      const saved = saveUser(home, { ...user, publicKey: credential.publicKey, issuedAt: nowS, revoked });
      if (!saved.ok) return saved;
      reissued.push(`${role} ${name}`);
    } else {
      const saved = saveUser(home, { ...user, publicKey: null, revoked });
      if (!saved.ok) return saved;
      invalid.push(`${role} ${name}`);
    }
  }
  const current = saveHome(home.path, home.mesh, home.url);
  return current.ok ? accept({ home: current.value, reissued, invalid }) : current;
}
