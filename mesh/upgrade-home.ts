/**
 * Brings the home that made a mesh from its first layout, in which all users shared one account, to today's. Users whose
 * credentials lie here get new ones under the same names. The others keep theirs, which open the shared account, now
 * the coordinators', as they did: a mesh is not brought to a new version on all machines at once. What they could do
 * there to the streams they can do until each has renewed its own; the last one takes the old signing key along, whose seed
 * is gone already.
 * A crash half way through leaves the old version in `mesh.json`, and all of it is done again.
 */
import { accept, type Outcome } from "../protocol/refusal.ts";
import { storedUsers } from "./connect.ts";
import { mintCredential, storeCredential } from "./credential.ts";
import { saveHome, type Home } from "./home.ts";
import { keysOf, renewSigning } from "./identity.ts";
import { roles } from "../protocol/subjects.ts";
import { listUsers, saveUser, type User } from "./user.ts";

/** Users with new credentials, as `role name`. */
export interface UpgradedHome {
  readonly home: Home;
  readonly reissued: readonly string[];
}

/** `nowS` is Unix time in seconds. */
export async function upgradeHome(home: Home, nowS: number): Promise<Outcome<UpgradedHome>> {
  const users = listUsers(home);
  if (!users.ok) return users;
  const here = storedUsers(home, roles);
  const isHere = ({ name, role }: User) =>
    here.some((stored) => stored.role === role && stored.name === name);
  const kept = keepElsewhere(
    home,
    users.value.filter((user) => !isHere(user)),
  );
  if (!kept.ok) return kept;
  const renewed = renewSigning(home);
  if (!renewed.ok) return renewed;
  const identity = keysOf(home);
  if (!identity.ok) return identity;
  const reissued: string[] = [];
  for (const user of users.value.filter(isHere)) {
    const { name, publicKey, role } = user;
    if (publicKey === null) continue;
    const credential = await mintCredential(identity.value, home.mesh, role, name);
    const stored = storeCredential(home, credential);
    if (!stored.ok) return stored;
    const old = [publicKey, ...user.others].map((key) => ({ publicKey: key, at: nowS }));
    const revoked = [...user.revoked, ...old];
    const saved = saveUser(home, {
      ...user,
      publicKey: credential.publicKey,
      others: [],
      issuedAt: nowS,
      revoked,
    });
    if (!saved.ok) return saved;
    reissued.push(`${role} ${name}`);
  }
  const current = saveHome(home.path, home.mesh, home.url, home.tls);
  return current.ok ? accept({ home: current.value, reissued }) : current;
}

/** Before the signing key is renewed: what signed their credentials is to be known afterwards. */
function keepElsewhere(home: Home, users: readonly User[]): Outcome<null> {
  const identity = keysOf(home);
  if (!identity.ok) return identity;
  const signer = identity.value.signing.getPublicKey();
  for (const user of users) {
    if (user.publicKey === null || user.sharedSigner !== undefined) continue;
    const saved = saveUser(home, { ...user, sharedSigner: signer });
    if (!saved.ok) return saved;
  }
  return accept(null);
}
