/**
 * The record of who was given a credential: one file per user under the home's `users`, so that
 * two commands at once cannot lose each other's entry. Holds public keys only, never a seed.
 */
import { existsSync, readdirSync } from "node:fs";
import * as z from "zod";
import { longText, listOf } from "../protocol/bound.ts";
import { nameSchema } from "../protocol/name.ts";
import { accept, parseOutside, type Outcome } from "../protocol/refusal.ts";
import { roles, type Role } from "../protocol/subjects.ts";
import { inHome, type Home } from "./home.ts";
import type { Revocations } from "./account.ts";
import { parseJsonFile, readPrivateFile, writePrivateFile } from "../system/private-file.ts";
import { refuseDisk } from "../system/system-error.ts";

export const publicKeySchema = longText.regex(
  /^U[A-Z2-7]{55}$/,
  "a user's public key starts with U and has 56 letters",
);

export const accountKeySchema = longText.regex(
  /^A[A-Z2-7]{55}$/,
  "an account's public key starts with A and has 56 letters",
);

const userSchema = z
  .object({
    version: z.literal(1),
    role: z.enum(roles),
    name: nameSchema,
    /** Null once revoked and not invited again. */
    publicKey: publicKeySchema.nullable(),
    /** Of credentials that were made later on the machine with the mesh's keys, to act for the user there. */
    others: listOf(publicKeySchema).default([]),
    /** Unix time in seconds. */
    issuedAt: z.number().int().nonnegative(),
    /** What signed its credential where that is of before users had accounts of their own: it enters the mesh's own. */
    sharedSigner: accountKeySchema.optional(),
    /** The key, one of `others`, with which it enters an account of its own already; its old one ends soon: `renew.ts`. */
    renewal: publicKeySchema.optional(),
    /** Every key this user ever lost, with the Unix time in seconds of the revocation. */
    revoked: listOf(z.object({ publicKey: publicKeySchema, at: z.number().int().nonnegative() })),
  })
  .readonly();
export type User = z.infer<typeof userSchema>;

function userFile(home: Home, role: Role, name: string): string {
  return inHome(home.path, "users", `${role}.${name}.json`);
}

/** The record of one user, or null when none was ever made. */
export function readUser(home: Home, role: Role, name: string): Outcome<User | null> {
  const path = userFile(home, role, name);
  if (!existsSync(path)) return accept(null);
  const text = readPrivateFile(path);
  if (!text.ok) return text;
  const json = parseJsonFile(path, text.value);
  if (!json.ok) return json;
  return parseOutside(userSchema, json.value, path);
}

export function saveUser(home: Home, user: User): Outcome<string> {
  return writePrivateFile(userFile(home, user.role, user.name), `${JSON.stringify(user, null, 2)}\n`);
}

/** Every user of the mesh, by role, then name. A damaged record is refused: it might hold a revocation. */
export function listUsers(home: Home): Outcome<readonly User[]> {
  let files: string[];
  try {
    files = readdirSync(inHome(home.path, "users", "")).filter((file) => file.endsWith(".json"));
  } catch (error) {
    return refuseDisk(error, "read", inHome(home.path, "users", ""));
  }
  const users: User[] = [];
  for (const role of roles) {
    for (const file of files.toSorted()) {
      if (!file.startsWith(`${role}.`)) continue;
      const user = readUser(home, role, file.slice(role.length + 1, -".json".length));
      if (!user.ok) return user;
      if (user.value !== null) users.push(user.value);
    }
  }
  return accept(users);
}

/** Users whose credentials are of before each had an account of its own. They enter the mesh's until these are renewed. */
export function sharedUsers(users: readonly User[]): readonly User[] {
  return users.filter(({ publicKey, sharedSigner }) => publicKey !== null && sharedSigner !== undefined);
}

/** The end of the year 9999: the server lets a credential pass that says it was issued after its key was taken back. */
const forGoodS = 253_402_300_799;

/**
 * What an account's token must say of the taken-back keys of its users: always derived from the records. A key that was taken
 * back is never given a credential again, so it is so for good, whatever the clocks said when it was issued and taken back.
 */
export function revocationsOf(users: readonly Pick<User, "revoked">[]): Revocations {
  return Object.fromEntries(
    users.flatMap((user) => user.revoked.map(({ publicKey }) => [publicKey, forGoodS])),
  );
}
