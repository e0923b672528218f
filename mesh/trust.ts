/** Whom this mesh's server trusts, from the home's keys and user records. */
import { accept, type Outcome } from "../protocol/refusal.ts";
import {
  meshAccountToken,
  operatorToken,
  systemAccountToken,
  userAccount,
  userAccountToken,
} from "./account.ts";
import type { Home } from "./home.ts";
import { exchangeAccount, invitationAccount } from "./exchange-account.ts";
import { ensureIdentity, type Identity } from "./identity.ts";
import { listInvitations } from "./invitation.ts";
import type { AccountToken, Trust } from "./server-config.ts";
import { listUsers, revocationsOf, sharedUsers, type User } from "./user.ts";

export async function trustOf(home: Home, accountsFolder: string): Promise<Outcome<Trust>> {
  const identity = ensureIdentity(home);
  if (!identity.ok) return identity;
  const users = listUsers(home);
  if (!users.ok) return users;
  // Those that ended too, for a while: whoever comes with one is told what became of it.
  const invitations = listInvitations(home);
  if (!invitations.ok) return invitations;
  return accept({
    operatorToken: await operatorToken(identity.value, home.mesh),
    systemAccount: {
      publicKey: identity.value.systemAccount.getPublicKey(),
      token: await systemAccountToken(identity.value),
    },
    accounts: [
      ...(await accountsOf(identity.value, home.mesh, users.value)),
      await exchangeAccount(identity.value, home.mesh),
      ...(await Promise.all(
        invitations.value.map(({ account }) => invitationAccount(identity.value, home.mesh, account)),
      )),
    ],
    accountsFolder,
  });
}

/** Every user's account, the mesh's first. */
function accountsOf(
  identity: Identity,
  mesh: string,
  users: readonly User[],
): Promise<readonly AccountToken[]> {
  const outer = users.filter(
    ({ renewal, role, sharedSigner }) =>
      role !== "coordinator" && (sharedSigner === undefined || renewal !== undefined),
  );
  return Promise.all([
    meshAccount(identity, mesh, users),
    ...outer.map((user) => accountOf(identity, mesh, user, users)),
  ]);
}

/** The account that this user enters. */
export async function accountOf(
  identity: Identity,
  mesh: string,
  user: Pick<User, "role" | "name" | "revoked">,
  users: readonly User[],
): Promise<AccountToken> {
  const { name, role } = user;
  if (role === "coordinator") return meshAccount(identity, mesh, users);
  return {
    publicKey: userAccount(identity, mesh, role, name).getPublicKey(),
    token: await userAccountToken(identity, mesh, role, name, revocationsOf([user])),
  };
}

/** It takes back every key there ever was: those of users who have accounts of their own now may once have opened it. */
export async function meshAccount(
  identity: Identity,
  mesh: string,
  users: readonly User[],
): Promise<AccountToken> {
  const signers = new Set(sharedUsers(users).flatMap(({ sharedSigner }) => sharedSigner ?? []));
  return {
    publicKey: identity.meshAccount.getPublicKey(),
    token: await meshAccountToken(identity, mesh, revocationsOf(users), [...signers]),
  };
}
