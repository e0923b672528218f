/** Users of a mesh for tests, let in as an invited machine is, without a server between. */
import { exchange, type Joining } from "../../mesh/exchange.ts";
import {
  credentialText,
  newUserKeys,
  readCredential,
  type Credential,
  type UserKeys,
} from "../../mesh/credential.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import type { Home } from "../../mesh/home.ts";
import { makeInvite, type InvitedRole } from "../../mesh/invite.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { newOwnKey } from "../../protocol/signature.ts";

/** What a machine with these keys asks with. */
export function joiningOf(keys: UserKeys, machine = "tower", more: Partial<Joining> = {}): Joining {
  return {
    version: 1,
    publicKey: keys.user.getPublicKey(),
    signingPublicKey: (keys.signing ?? newOwnKey()).publicKey,
    machine,
    role: null,
    mesh: null,
    ...more,
  };
}

/** Comes with the invitation that is known by `account`. */
export async function join(
  home: Home,
  account: string,
  keys: UserKeys,
  nowS: number,
  machine?: string,
): Promise<Outcome<Credential>> {
  const identity = ensureIdentity(home);
  if (!identity.ok) return identity;
  const joined = await exchange(home, identity.value, account, joiningOf(keys, machine), nowS);
  if (!joined.ok) return joined;
  const { certificate, role, token } = joined.value;
  const wanted = role === "coordinator" ? keys : { ...keys, signing: null };
  return readCredential(credentialText(wanted, token, certificate), "the answer");
}

/** Invited and joined. */
export async function issueCredential(
  home: Home,
  role: InvitedRole,
  name: string,
  nowS: number,
): Promise<Outcome<Credential>> {
  const invited = await makeInvite(home, { role, name, nowS });
  if (!invited.ok) return invited;
  const joined = await join(home, invited.value.invitation.account, newUserKeys("coordinator"), nowS);
  return joined.ok ? accept(joined.value) : joined;
}
