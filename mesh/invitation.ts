/**
 * The record of an invitation: who may come of it, until when, how often, who came and who was turned away. One file each
 * in the home's `invites`; the code itself is kept nowhere, only the public key it stands for.
 * Not the code (`invitation-code.ts`), nor who may join and what they get (`exchange.ts`).
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { listOf, textOf } from "../protocol/bound.ts";
import { nameSchema } from "../protocol/name.ts";
import { accept, parseOutside, type Outcome } from "../protocol/refusal.ts";
import { roles } from "../protocol/subjects.ts";
import {
  ensurePrivateFolder,
  parseJsonFile,
  readPrivateFile,
  writePrivateFile,
} from "../system/private-file.ts";
import { refuseDisk } from "../system/system-error.ts";
import type { Home } from "./home.ts";
import { accountKeySchema, publicKeySchema } from "./user.ts";

/** An invitation that has ended is told as what it is for so long; later the server knows nothing of it. */
const toldForS = 30 * 24 * 3600;
/** Of those who were turned away the last ones are kept. */
const turnedAwayMax = 10;
export const usesMax = 100;
/** A machine's own name, for people to read. */
export const machineCharactersMax = 64;
export const machineSchema = textOf(1_000)
  // What another machine calls itself goes to a terminal: plain letters only.
  .transform((name) => name.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(0, machineCharactersMax) || "unnamed");

const timeSchema = z.number().int().nonnegative();
const invitationSchema = z
  .object({
    version: z.literal(1),
    /** Public key of the account that the code opens: what it is known by. */
    account: accountKeySchema,
    role: z.enum(roles).exclude(["owner"]),
    name: nameSchema,
    /** Times are Unix time in seconds. */
    madeAt: timeSchema,
    /** Null: never. */
    expiresAt: timeSchema.nullable(),
    uses: z.number().int().min(1).max(usesMax),
    used: listOf(
      z.object({ publicKey: publicKeySchema, name: nameSchema, machine: machineSchema, at: timeSchema }),
      usesMax,
    ),
    turnedAway: listOf(z.object({ machine: machineSchema, at: timeSchema }), turnedAwayMax),
    withdrawnAt: timeSchema.nullable(),
  })
  .readonly();
export type InvitationRecord = z.infer<typeof invitationSchema>;
export type InvitationState = "open" | "used" | "expired" | "withdrawn";

export function stateOf(invitation: InvitationRecord, nowS: number): InvitationState {
  if (invitation.withdrawnAt !== null) return "withdrawn";
  if (invitation.used.length >= invitation.uses) return "used";
  return invitation.expiresAt !== null && nowS >= invitation.expiresAt ? "expired" : "open";
}

/** What people call it by: the beginning of its public key. */
export function idOf({ account }: Pick<InvitationRecord, "account">): string {
  return account.slice(1, 9).toLowerCase();
}

function folderOf(home: Home): string {
  return join(home.path, "invites");
}

function fileOf(home: Home, account: string): string {
  return join(folderOf(home), `${account}.json`);
}

export function readInvitation(home: Home, account: string): Outcome<InvitationRecord | null> {
  const path = fileOf(home, account);
  if (!existsSync(path)) return accept(null);
  const text = readPrivateFile(path);
  if (!text.ok) return text;
  const json = parseJsonFile(path, text.value);
  return json.ok ? parseOutside(invitationSchema, json.value, path) : json;
}

export function saveInvitation(home: Home, invitation: InvitationRecord): Outcome<string> {
  const folder = ensurePrivateFolder(folderOf(home));
  if (!folder.ok) return folder;
  const kept = { ...invitation, turnedAway: invitation.turnedAway.slice(-turnedAwayMax) };
  return writePrivateFile(fileOf(home, invitation.account), `${JSON.stringify(kept, null, 2)}\n`);
}

/** Every invitation, the oldest first. */
export function listInvitations(home: Home): Outcome<readonly InvitationRecord[]> {
  if (!existsSync(folderOf(home))) return accept([]);
  let files: string[];
  try {
    files = readdirSync(folderOf(home)).filter((file) => file.endsWith(".json"));
  } catch (error) {
    return refuseDisk(error, "read", folderOf(home));
  }
  const invitations: InvitationRecord[] = [];
  for (const file of files) {
    const invitation = readInvitation(home, file.slice(0, -".json".length));
    if (!invitation.ok) return invitation;
    if (invitation.value !== null) invitations.push(invitation.value);
  }
  return accept(invitations.toSorted((a, b) => a.madeAt - b.madeAt || a.account.localeCompare(b.account)));
}

/** Forgets those that ended long ago. */
export function forgetOldInvitations(home: Home, nowS: number): Outcome<null> {
  const all = listInvitations(home);
  if (!all.ok) return all;
  for (const invitation of all.value) {
    const { expiresAt, used, withdrawnAt } = invitation;
    if (stateOf(invitation, nowS) === "open") continue;
    const ended = withdrawnAt ?? used.at(-1)?.at ?? expiresAt ?? nowS;
    if (nowS - Math.max(ended, expiresAt ?? 0) > toldForS)
      rmSync(fileOf(home, invitation.account), { force: true });
  }
  return accept(null);
}
