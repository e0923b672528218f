/**
 * The accounts of a mesh's server, as tokens that the operator signs. The mesh's own account has the streams; only
 * coordinators enter it, and who was invited before this was so. Every other user has an account to itself, which shares with the mesh's the subjects that the
 * user needs and nothing else. So an answer can be sent nowhere but where its asker alone listens, wherever the asker
 * wants it sent: NATS checks what a message is sent to, never where its answer is to go.
 * Not who the users are (`user.ts`), nor how a running server learns of an account (`push-account.ts`).
 */
import { encodeAccount, encodeOperator, type Account } from "@nats-io/jwt";
import type { KeyPair } from "@nats-io/nkeys";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { crossingsOf, offeredCrossings, type OuterRole } from "../protocol/subjects.ts";
import { derivedAccount } from "./derived-account.ts";
import type { Identity } from "./identity.ts";
import type { Held } from "./traffic-quota.ts";

/** Public key → Unix time in seconds: users of that key issued up to then are refused. */
export type Revocations = Readonly<Record<string, number>>;

/** An unset limit is encoded as 0, which means "none allowed"; -1 means "no limit". */
const unlimited = -1;
interface IdentityLimits {
  /** Connections of one user at a time: its programs, wherever they run. */
  readonly conn: number;
  /** Subscriptions of all of them together. */
  readonly subs: number;
}
/**
 * QUOTA-5: what one identity may hold of the server. An agent is one process with one connection, and another while it
 * starts anew; a person has terminals, scripts and dashboards.
 */
export const identityLimits: Readonly<Record<OuterRole, IdentityLimits>> = {
  agent: { conn: 8, subs: 200 },
  requester: { conn: 64, subs: 2_000 },
  viewer: { conn: 64, subs: 2_000 },
  owner: { conn: 100, subs: 4_000 },
};
/** Of one message: what the server takes by itself, whatever its own configuration says. */
export const payloadMaxBytes = bytesPerMiB;
const openLimits = {
  subs: unlimited,
  data: unlimited,
  payload: unlimited,
  imports: unlimited,
  exports: unlimited,
  wildcards: true,
  conn: unlimited,
  leaf: 0,
  disallow_bearer: true,
} as const;
const streamLimits = {
  mem_storage: unlimited,
  disk_storage: unlimited,
  streams: unlimited,
  consumer: unlimited,
  max_ack_pending: unlimited,
} as const;

export function operatorToken(identity: Identity, mesh: string): Promise<string> {
  return encodeOperator(`trialmesh-${mesh}`, identity.operator, {
    system_account: identity.systemAccount.getPublicKey(),
  });
}

/** The system account may manage the server and holds no streams. */
export function systemAccountToken(identity: Identity): Promise<string> {
  const account: Partial<Account> = { limits: { ...openLimits } };
  return encodeAccount("SYS", identity.systemAccount, account, { signer: identity.operator });
}

/** `sharedSigners`: public keys whose users still enter this account, as all did at first. */
export function meshAccountToken(
  identity: Identity,
  mesh: string,
  revocations: Revocations,
  sharedSigners: readonly string[],
): Promise<string> {
  const account: Partial<Account> = {
    limits: { ...openLimits, imports: 0, ...streamLimits },
    signing_keys: [identity.signing.getPublicKey(), ...sharedSigners],
    exports: offeredCrossings(mesh).map(({ subject, type }) => ({ name: subject, subject, type })),
    revocations: { ...revocations },
  };
  return encodeAccount(mesh, identity.meshAccount, account, { signer: identity.operator });
}

/** The key of the account in which this user alone is: the same for the same name, revoked and invited again or not. */
export function userAccount(identity: Identity, mesh: string, role: OuterRole, name: string): KeyPair {
  return derivedAccount(identity.operator.getSeed(), `trialmesh account\n${mesh}\n${role}\n${name}`);
}

/** No streams, so no interface to streams either; no offers to others. `held`: what it may not say for now. */
export function userAccountToken(
  identity: Identity,
  mesh: string,
  role: OuterRole,
  name: string,
  revocations: Revocations,
  held: Held = null,
): Promise<string> {
  const from = identity.meshAccount.getPublicKey();
  const account: Partial<Account> = {
    limits: { ...openLimits, exports: 0, payload: payloadMaxBytes, ...identityLimits[role] },
    signing_keys: [identity.signing.getPublicKey()],
    imports: crossingsOf(role, mesh, name, held).map(({ local, subject, type }) => ({
      name: subject,
      subject,
      type,
      account: from,
      ...(local === undefined ? {} : { local_subject: local }),
    })),
    revocations: { ...revocations },
  };
  const key = userAccount(identity, mesh, role, name);
  return encodeAccount(`${mesh}/${role}/${name}`, key, account, { signer: identity.operator });
}
