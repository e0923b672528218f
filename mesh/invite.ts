/**
 * Makes invitations and takes them back. An invitation is a code of few letters with the mesh's address; whoever comes
 * with it first is let in (`exchange.ts`). The code is shown once and kept nowhere.
 */
import { randomBytes, X509Certificate } from "node:crypto";
import { pinOf } from "../protocol/certificate/authority-pin.ts";
import { nameSchema } from "../protocol/name.ts";
import { meshOwner } from "../protocol/program.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import { nameProblem } from "./admission.ts";
import { invitationAccount } from "./exchange-account.ts";
import type { Home } from "./home.ts";
import { exclusively } from "./home-lock.ts";
import { loadIdentity } from "./identity.ts";
import { inviteLine } from "./invite-line.ts";
import { accountOfCode, codeOf, codeSecretBytes } from "./invitation-code.ts";
import {
  idOf,
  listInvitations,
  readInvitation,
  saveInvitation,
  stateOf,
  usesMax,
  type InvitationRecord,
} from "./invitation.ts";
import { pushAccounts } from "./push-account.ts";
import { readUser } from "./user.ts";

/** All but the owner: that is whoever made the mesh. A coordinator elsewhere stands by to lead. */
export const invitedRoles = ["agent", "requester", "viewer", "coordinator"] as const;
export type InvitedRole = (typeof invitedRoles)[number];

/** An invitation that is forgotten in a chat is of use to nobody the day after. */
export const lifeDefaultS = 24 * 3600;

/** There has to be room for `-100` and a little more behind it. */
const numberedNameCharactersMax = 26;

export interface InviteOptions {
  readonly role: InvitedRole;
  readonly name: string;
  /** Unix time in seconds. */
  readonly nowS: number;
  /** The address that the other machine will use, where it differs from this machine's own. */
  readonly url?: string | undefined;
  /** Seconds; null: it does not expire. */
  readonly lifeS?: number | null | undefined;
  /** How many machines may come of it. */
  readonly uses?: number | undefined;
}

export interface Invite {
  /** `CODE@host:port`: all that the other machine needs. Secret until it was used. */
  readonly code: string;
  readonly invitation: InvitationRecord;
  readonly url: string;
  /** Earlier ones for the same name that had not been used, and are taken back. */
  readonly replaced: number;
}

export async function makeInvite(home: Home, options: InviteOptions): Promise<Outcome<Invite>> {
  const { lifeS = lifeDefaultS, name, nowS, role, url = home.url, uses = 1 } = options;
  const checked = checkInvite(role, name, uses);
  if (!checked.ok) return checked;
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  return exclusively(home, async () => {
    const known = readUser(home, role, name);
    if (!known.ok) return known;
    const taken = nameProblem({ role, name }, known.value);
    if (taken !== null) return refuse("conflict", taken);
    const replaced = withdraw(home, nowS, (other) => other.role === role && other.name === name);
    if (!replaced.ok) return replaced;
    const code = codeOf(randomBytes(codeSecretBytes), pinOfHome(home));
    const line = inviteLine(code, url);
    if (!line.ok) return line;
    const account = accountOfCode(code).getPublicKey();
    const invitation: InvitationRecord = {
      version: 1,
      account,
      role,
      name,
      madeAt: nowS,
      expiresAt: lifeS === null ? null : nowS + lifeS,
      uses,
      used: [],
      turnedAway: [],
      withdrawnAt: null,
    };
    const saved = saveInvitation(home, invitation);
    if (!saved.ok) return saved;
    const token = await invitationAccount(identity.value, home.mesh, account);
    const told = await pushAccounts(home, identity.value, [token], nowS);
    if (!told.ok && told.refusal.code !== "unavailable") return told;
    return accept({ code: line.value, invitation, url, replaced: replaced.value.length });
  });
}

/** Of whom the other machine is to believe; null where the server is somebody else's, or speaks without TLS. */
function pinOfHome({ tls }: Home): Uint8Array | null {
  return tls?.kind === "mesh" ? pinOf(new X509Certificate(tls.authority).publicKey) : null;
}

function checkInvite(role: InvitedRole, name: string, uses: number): Outcome<null> {
  const named = parseOutside(nameSchema, name, `the ${role}'s name`);
  if (!named.ok) return named;
  if (!Number.isInteger(uses) || uses < 1 || uses > usesMax)
    return refuse("invalid", `an invitation is for 1 to ${usesMax} machines, not for ${uses}`);
  if (uses > 1 && name.length > numberedNameCharactersMax)
    return refuse(
      "invalid",
      `each machine gets a number behind the name ${name}; give one of ${numberedNameCharactersMax} characters at most`,
    );
  // What the mesh's owner may do, such as run programs on machines that allow only theirs, goes by this name.
  return role === "requester" && name === meshOwner
    ? refuse("invalid", `${meshOwner} is the name of whoever made this mesh; give the requester another`)
    : accept(null);
}

/** Takes back one that was not used, by its id. Who has joined with it stays. */
export function withdrawInvite(home: Home, id: string, nowS: number): Promise<Outcome<InvitationRecord>> {
  return exclusively(home, () => {
    const all = listInvitations(home);
    if (!all.ok) return all;
    const known = all.value.find((invitation) => idOf(invitation) === id.toLowerCase());
    if (known === undefined)
      return refuse("unknown", `there is no invitation ${id}; \`trialmesh invite --list\` shows them`);
    const state = stateOf(known, nowS);
    if (state !== "open") {
      const who = known.used.map(({ name }) => name).join(", ");
      const instead = who === "" ? "" : `; \`trialmesh revoke NAME\` cuts off who joined with it: ${who}`;
      return refuse("conflict", `invitation ${id} is ${state} already${instead}`);
    }
    const withdrawn = withdraw(home, nowS, ({ account }) => account === known.account);
    return withdrawn.ok ? accept(known) : withdrawn;
  });
}

/** Takes back those of a name (and role) that are open; which. Within `exclusively`. */
export function withdraw(
  home: Home,
  nowS: number,
  which: (invitation: InvitationRecord) => boolean,
): Outcome<readonly InvitationRecord[]> {
  const all = listInvitations(home);
  if (!all.ok) return all;
  const open = all.value.filter((invitation) => stateOf(invitation, nowS) === "open" && which(invitation));
  for (const { account } of open) {
    const known = readInvitation(home, account);
    if (!known.ok) return known;
    if (known.value === null) continue;
    const saved = saveInvitation(home, { ...known.value, withdrawnAt: nowS });
    if (!saved.ok) return saved;
  }
  return accept(open);
}

/** Narrows a role given on a command line to those that can be invited. */
export function invitedRole(role: string): Outcome<InvitedRole> {
  const known = invitedRoles.find((candidate) => candidate === role);
  return known === undefined
    ? refuse("unknown", `cannot invite a "${role}"; invite one of: ${invitedRoles.join(", ")}`)
    : accept(known);
}
