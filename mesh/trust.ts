/** Whom this mesh's server trusts, from the home's keys and user records. */
import { accept, type Outcome } from "../protocol/refusal.ts";
import type { Home } from "./home.ts";
import { ensureIdentity, meshAccountToken, operatorToken, systemAccountToken } from "./identity.ts";
import type { Trust } from "./server-config.ts";
import { listUsers, revocationsOf } from "./user.ts";

export async function trustOf(home: Home, accountsFolder: string): Promise<Outcome<Trust>> {
  const identity = ensureIdentity(home);
  if (!identity.ok) return identity;
  const users = listUsers(home);
  if (!users.ok) return users;
  return accept({
    operatorToken: await operatorToken(identity.value, home.mesh),
    systemAccount: {
      publicKey: identity.value.systemAccount.getPublicKey(),
      token: await systemAccountToken(identity.value),
    },
    meshAccount: {
      publicKey: identity.value.meshAccount.getPublicKey(),
      token: await meshAccountToken(identity.value, home.mesh, revocationsOf(users.value)),
    },
    accountsFolder,
  });
}
