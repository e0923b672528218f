/**
 * Takes a credential back: records the revocation, signs the mesh account anew and hands that to
 * the running server, which cuts the user's connections. A server that is down learns it when it
 * starts, since its configuration is written from the same records.
 */
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import * as z from "zod";
import { errorSentence } from "../protocol/error-sentence.ts";
import { suggestion } from "../protocol/name.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { roles, type Role } from "../protocol/subjects.ts";
import { mintSystemCredential } from "./credential.ts";
import type { Home } from "./home.ts";
import { loadIdentity, meshAccountToken, type Identity } from "./identity.ts";
import { listUsers, revocationsOf, saveUser, type User } from "./user.ts";

const updateSubject = "$SYS.REQ.CLAIMS.UPDATE";
const connectTimeoutMs = 2_000;
const updateTimeoutMs = 2_000;

export interface Revocation {
  readonly role: Role;
  readonly name: string;
  readonly publicKey: string;
  /** Whether the running server knows of it, or will learn it when it next starts. */
  readonly applied: { readonly when: "now" } | { readonly when: "at-next-start"; readonly reason: string };
}

/** Revokes by name; `role` is needed only where several users share it. `nowS` is Unix time in seconds. */
export async function revokeUser(
  home: Home,
  name: string,
  nowS: number,
  role?: Role,
): Promise<Outcome<Revocation>> {
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const users = listUsers(home);
  if (!users.ok) return users;
  const found = chooseUser(users.value, name, role);
  if (!found.ok) return found;
  const { user, publicKey } = found.value;
  const saved = saveUser(home, {
    ...user,
    publicKey: null,
    revoked: [...user.revoked, { publicKey, at: nowS }],
  });
  if (!saved.ok) return saved;
  const pushed = await pushAccount(home, identity.value, nowS);
  if (!pushed.ok && pushed.refusal.code !== "unavailable") return pushed;
  return accept({
    role: user.role,
    name: user.name,
    publicKey,
    applied: pushed.ok ? { when: "now" } : { when: "at-next-start", reason: pushed.refusal.message },
  });
}

/** Signs the mesh account from the records and gives it to the running server. */
export async function pushAccount(home: Home, identity: Identity, nowS: number): Promise<Outcome<null>> {
  const users = listUsers(home);
  if (!users.ok) return users;
  const token = await meshAccountToken(identity, home.mesh, revocationsOf(users.value));
  const creds = await mintSystemCredential(identity, nowS);
  try {
    const connection = await connect({
      servers: home.url,
      authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
      timeout: connectTimeoutMs,
      reconnect: false,
    });
    try {
      const reply = await connection.request(updateSubject, token, { timeout: updateTimeoutMs });
      return readAnswer(reply.json());
    } finally {
      await connection.close();
    }
  } catch (error) {
    const reason = errorSentence(error);
    return refuse("unavailable", `the server at ${home.url} does not answer (${reason})`);
  }
}

const answerSchema = z.object({
  data: z.object({ code: z.number(), message: z.string() }).optional(),
  error: z.object({ code: z.number(), description: z.string() }).optional(),
});
const okCode = 200;

function readAnswer(answer: unknown): Outcome<null> {
  const parsed = answerSchema.safeParse(answer);
  if (parsed.success && parsed.data.data?.code === okCode) return accept(null);
  const reason = parsed.success ? (parsed.data.error?.description ?? parsed.data.data?.message) : undefined;
  return refuse(
    "conflict",
    `the server did not take the mesh's new account: ${reason ?? "its answer does not parse"}`,
  );
}

function chooseUser(
  users: readonly User[],
  name: string,
  role?: Role,
): Outcome<{ user: User; publicKey: string }> {
  const named = users.filter((user) => user.name === name && (role === undefined || user.role === role));
  const live = named.flatMap((user) =>
    user.publicKey === null ? [] : [{ user, publicKey: user.publicKey }],
  );
  const [first, second] = live;
  if (first !== undefined && second === undefined) return accept(first);
  if (first !== undefined) {
    const which = live.map(({ user }) => `${user.role} ${user.name}`).join(", ");
    return refuse("invalid", `several users are named ${name} (${which}); say which with its role`);
  }
  const what = role ?? "user";
  if (named.length > 0) return refuse("conflict", `${what} ${name} is already revoked`);
  const known = users.filter((user) => user.publicKey !== null).map((user) => user.name);
  return refuse("unknown", `there is no ${what} named ${name}; ${suggestion(name, known)}`);
}

/** Narrows a role given on a command line. */
export function anyRole(role: string): Outcome<Role> {
  const known = roles.find((candidate) => candidate === role);
  return known === undefined
    ? refuse("unknown", `there is no role "${role}"; ${suggestion(role, roles)}`)
    : accept(known);
}
