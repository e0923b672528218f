/**
 * The accounts of an exchange of codes for credentials, as tokens that the operator signs: one in which `trialmesh up`
 * answers, and one for each invitation, whose key its code stands for. Whoever knows the code signs a user of that account
 * for itself, so the server turns away every other; and in it there is nothing but the one question (INV-2).
 */
import { encodeAccount, encodeUser, fmtCreds, type Account } from "@nats-io/jwt";
import { createUser, type KeyPair } from "@nats-io/nkeys";
import { bytesPerKiB } from "../protocol/byte-unit.ts";
import { derivedAccount } from "./derived-account.ts";
import type { Identity } from "./identity.ts";
import type { AccountToken } from "./server-config.ts";

/** Where an invited machine asks, in the account that its code opens. */
export const askedSubject = "trialmesh.exchange";
/** The prefixes of answers' subjects, of either side. */
export const joiningInbox = "_INBOX.join";
export const exchangeInbox = "_INBOX.exchange";

const limits = {
  data: -1,
  exports: 0,
  imports: 0,
  wildcards: true,
  leaf: 0,
  mem_storage: 0,
  disk_storage: 0,
  streams: 0,
  consumer: 0,
} as const;
/** A machine that joins asks once; one that tries again at once finds its last connection hardly gone. */
const joiningConnectionsMax = 4;
const joiningSubscriptionsMax = 8;
/** A question holds two public keys and two names. */
export const questionBytesMax = 2 * bytesPerKiB;

/** Where the exchange hears: `*` for every invitation. */
export function exchangeSubject(mesh: string, account: string): string {
  return `tm.v1.${mesh}.exchange.${account}`;
}

/** The invitation that a question is about, in its subject. */
export function invitationIn(subject: string): string {
  return subject.split(".").at(-1) ?? "";
}

function exchangeKey(identity: Identity, mesh: string): KeyPair {
  return derivedAccount(identity.operator.getSeed(), `trialmesh exchange\n${mesh}`);
}

export async function exchangeAccount(identity: Identity, mesh: string): Promise<AccountToken> {
  const key = exchangeKey(identity, mesh);
  const subject = exchangeSubject(mesh, "*");
  const account: Partial<Account> = {
    limits: { ...limits, exports: 1, conn: 10, subs: 20, payload: -1 },
    exports: [{ name: "exchange", subject, type: "service" }],
  };
  const token = await encodeAccount(`${mesh}/exchange`, key, account, { signer: identity.operator });
  return { publicKey: key.getPublicKey(), token };
}

/** `account`: the public key that the invitation's code stands for. */
export async function invitationAccount(
  identity: Identity,
  mesh: string,
  account: string,
): Promise<AccountToken> {
  const token = await encodeAccount(
    `${mesh}/invitation`,
    account,
    {
      limits: {
        ...limits,
        imports: 1,
        conn: joiningConnectionsMax,
        subs: joiningSubscriptionsMax,
        payload: questionBytesMax,
        disallow_bearer: true,
      },
      imports: [
        {
          name: "exchange",
          subject: exchangeSubject(mesh, account),
          type: "service",
          account: exchangeKey(identity, mesh).getPublicKey(),
          local_subject: askedSubject,
        },
      ],
    },
    { signer: identity.operator },
  );
  return { publicKey: account, token };
}

/** The text of credentials with which the exchange answers. */
export function exchangeCredential(identity: Identity, mesh: string): Promise<string> {
  const hears = [exchangeSubject(mesh, "*"), `${exchangeInbox}.>`];
  return ownCredential("exchange", exchangeKey(identity, mesh), ["_R_.>"], hears);
}

/** The text of credentials with which the code's key lets one ask. */
export function joiningCredential(key: KeyPair): Promise<string> {
  return ownCredential("join", key, [askedSubject], [`${joiningInbox}.>`]);
}

async function ownCredential(name: string, account: KeyPair, pub: string[], sub: string[]): Promise<string> {
  const pair = createUser();
  const token = await encodeUser(name, pair, account, { pub: { allow: pub }, sub: { allow: sub } });
  return new TextDecoder().decode(fmtCreds(token, pair));
}
