/** Invitations as people look at them: what each is good for still, who came of it, and who was turned away. */
import type { Home } from "../../mesh/home.ts";
import { loadIdentity } from "../../mesh/identity.ts";
import { idOf, listInvitations, stateOf, type InvitationState } from "../../mesh/invitation.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";

export interface InvitationView {
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly state: InvitationState;
  readonly uses: number;
  /** Times are Unix time in seconds. */
  readonly madeAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  readonly used: readonly { readonly name: string; readonly machine: string; readonly at: number }[];
  /** Who came when it had ended, the last of them. */
  readonly turnedAway: readonly { readonly machine: string; readonly at: number }[];
}

/** The oldest first. Refused where the mesh was made elsewhere. */
export function invitationViews(home: Home, nowS: number): Outcome<readonly InvitationView[]> {
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const invitations = listInvitations(home);
  if (!invitations.ok) return invitations;
  return accept(
    invitations.value.map((invitation) => {
      const { expiresAt, madeAt, name, role, turnedAway, uses } = invitation;
      const used = invitation.used.map(({ at, machine, name: given }) => ({ name: given, machine, at }));
      const state = stateOf(invitation, nowS);
      return { id: idOf(invitation), role, name, state, uses, madeAt, expiresAt, used, turnedAway };
    }),
  );
}
