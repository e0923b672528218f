/**
 * What an invited machine asks for and gets: it hands over the public keys of key pairs that it made itself, and gets the
 * token that makes them a user's. INV-7: the use is on disk before the answer leaves, so a line counts for as many machines as
 * was said, whatever crashes; the same machine that asks again gets the same answer. INV-8: what has ended lets nobody in.
 * Not how the question travels (`serve-exchange.ts`, `join.ts`).
 */
import * as z from "zod";
import { longText, shortText } from "../protocol/bound.ts";
import { nameSchema } from "../protocol/name.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { isPublicKey } from "../protocol/signature.ts";
import { roles } from "../protocol/subjects.ts";
import { admit, nameProblem } from "./admission.ts";
import { signingCertificate, userToken } from "./credential.ts";
import type { Home } from "./home.ts";
import { exclusively } from "./home-lock.ts";
import type { Identity } from "./identity.ts";
import {
  machineSchema,
  readInvitation,
  saveInvitation,
  stateOf,
  type InvitationRecord,
} from "./invitation.ts";
import { publicKeySchema, readUser, type User } from "./user.ts";

export const joiningSchema = z.object({
  version: z.literal(1),
  publicKey: publicKeySchema,
  /** For a coordinator: what it will sign with. */
  signingPublicKey: shortText.refine(isPublicKey, "a signing key is 32 bytes in base64url"),
  /** What the machine calls itself, for people. */
  machine: machineSchema,
  /** What it means to join as, and the mesh that its home belongs to; null: whatever the invitation says. */
  role: z.enum(roles).nullable(),
  mesh: nameSchema.nullable(),
});
export type Joining = z.infer<typeof joiningSchema>;

export const joinedSchema = z.object({
  mesh: nameSchema,
  role: z.enum(roles),
  name: nameSchema,
  /** Signed, for the public key that was handed over. */
  token: longText,
  /** A coordinator's. */
  certificate: longText.nullable(),
});
export type Joined = z.infer<typeof joinedSchema>;

/** `account` tells the invitation: only who knows its code can ask there. `nowS` is Unix time in seconds. */
export function exchange(
  home: Home,
  identity: Identity,
  account: string,
  joining: Joining,
  nowS: number,
): Promise<Outcome<Joined>> {
  return exclusively(home, async () => {
    const read = readInvitation(home, account);
    if (!read.ok) return read;
    if (read.value === null)
      return refuse("unknown", `this invitation is not known; ${askAnew(joining.role ?? "agent", "NAME")}`);
    const taken = takeUse(home, read.value, joining, nowS);
    if (!taken.ok) return taken;
    const { invitation, name } = taken.value;
    const saved = saveInvitation(home, invitation);
    if (!saved.ok) return saved;
    const { role } = invitation;
    const { publicKey, signingPublicKey } = joining;
    const admitted = await admit(home, identity, { role, name, publicKey }, nowS);
    if (!admitted.ok) return admitted;
    return accept(await signedFor(home.mesh, identity, { role, name, publicKey, signingPublicKey }));
  });
}

/** What makes whoever holds these keys that user. */
export async function signedFor(
  mesh: string,
  identity: Identity,
  {
    name,
    publicKey,
    role,
    signingPublicKey,
  }: Pick<User, "role" | "name"> & Pick<Joining, "publicKey" | "signingPublicKey">,
): Promise<Joined> {
  return {
    mesh,
    role,
    name,
    token: await userToken(identity, mesh, role, name, publicKey),
    certificate: role === "coordinator" ? signingCertificate(identity, mesh, name, signingPublicKey) : null,
  };
}

function askAnew(role: string, name: string): string {
  return `ask the mesh's owner for a new \`trialmesh invite ${role} ${name}\``;
}

/** The invitation with this use noted, and the name it gives. Who came too late is noted on disk at once. */
function takeUse(
  home: Home,
  invitation: InvitationRecord,
  { machine, mesh, publicKey, role }: Joining,
  nowS: number,
): Outcome<{ readonly invitation: InvitationRecord; readonly name: string }> {
  if (mesh !== null && mesh !== home.mesh)
    return refuse(
      "conflict",
      `this machine's home belongs to mesh ${mesh} and the invitation is to mesh ${home.mesh}; choose another folder with TRIALMESH_HOME`,
    );
  if (role !== null && role !== invitation.role)
    return refuse(
      "invalid",
      `this invitation is for ${withArticle(invitation.role)}, not for ${withArticle(role)}; ask for \`trialmesh invite ${role} NAME\``,
    );
  const again = invitation.used.find((use) => use.publicKey === publicKey);
  if (again !== undefined) return accept({ invitation, name: again.name });
  const state = stateOf(invitation, nowS);
  if (state !== "open") {
    const turnedAway = [...invitation.turnedAway, { machine, at: nowS }];
    const saved = saveInvitation(home, { ...invitation, turnedAway });
    if (!saved.ok) return saved;
    return refuse(
      "forbidden",
      `${endSentence(invitation, state)}; ${askAnew(invitation.role, invitation.name)}`,
    );
  }
  const name = freeName(home, invitation);
  if (!name.ok) return name;
  const used = [...invitation.used, { publicKey, name: name.value, machine, at: nowS }];
  return accept({ invitation: { ...invitation, used }, name: name.value });
}

function withArticle(role: string): string {
  return /^[aeiou]/.test(role) ? `an ${role}` : `a ${role}`;
}

/** What became of an invitation that is over, for whoever comes with it. */
function endSentence(
  { expiresAt, used, uses, withdrawnAt }: InvitationRecord,
  state: "used" | "expired" | "withdrawn",
): string {
  switch (state) {
    case "used": {
      const who = used.map(({ at, machine, name }) => `by ${machine} as ${name} at ${timeText(at)}`);
      const limit = uses === 1 ? "was used" : `is for ${uses} machines and was used`;
      return `this invitation ${limit} ${who.join(", ")}`;
    }
    case "expired":
      return `this invitation expired at ${timeText(expiresAt ?? 0)}`;
    case "withdrawn":
      return `this invitation was taken back at ${timeText(withdrawnAt ?? 0)}`;
  }
}

/** `2026-03-01 12:00 UTC`: two machines need not be in one zone. */
function timeText(atS: number): string {
  return `${new Date(atS * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Names with a number that others may have already. */
const namesBesideMax = 100;

/** Persons keep their name on every machine; each further agent or coordinator of one invitation gets a number behind it. */
function freeName(home: Home, { name, role, used, uses }: InvitationRecord): Outcome<string> {
  if (role === "requester" || role === "viewer") return accept(name);
  const last = uses === 1 ? 1 : uses + namesBesideMax;
  for (let number = 1; number <= last; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    const known = readUser(home, role, candidate);
    if (!known.ok) return known;
    const gone = used.some((use) => use.name === candidate);
    if (!gone && nameProblem({ role, name: candidate }, known.value) === null) return accept(candidate);
  }
  return refuse(
    "conflict",
    `${role} ${name} has joined meanwhile in another way; ${askAnew(role, "ANOTHER-NAME")}`,
  );
}
