/**
 * Tells the running server of accounts, new or signed anew. A server that is down learns them when it starts, since its
 * configuration is written from the same records.
 */
import { encodeUser, fmtCreds } from "@nats-io/jwt";
import { createUser } from "@nats-io/nkeys";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import * as z from "zod";
import { longText } from "../protocol/bound.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Home } from "./home.ts";
import type { Identity } from "./identity.ts";
import { greetingAt } from "./port.ts";
import { busTls } from "./server-trust.ts";
import type { AccountToken } from "./server-config.ts";

const updateSubject = "$SYS.REQ.CLAIMS.UPDATE";
const connectTimeoutMs = 10_000;
const updateTimeoutMs = 5_000;
/** This machine's clock and the server's need not agree. */
const systemUserLifeS = 24 * 3_600;

/** Refuses with `unavailable` where no server of this mesh answers. `nowS` is Unix time in seconds. */
export async function pushAccounts(
  home: Home,
  identity: Identity,
  accounts: readonly AccountToken[],
  nowS: number,
): Promise<Outcome<null>> {
  // The client would keep its connection to a program that takes it and says nothing.
  if (!(await greetingAt(home.url, home.tls)).startsWith("INFO"))
    return refuse("unavailable", `no server answers at ${home.url}`);
  const creds = await systemCredential(identity, nowS);
  const tls = busTls(home);
  try {
    const connection = await connect({
      servers: home.url,
      authenticator: credsAuthenticator(creds),
      timeout: connectTimeoutMs,
      reconnect: false,
      ...(tls === null ? {} : { tls }),
    });
    try {
      for (const { token } of accounts) {
        const reply = await connection.request(updateSubject, token, { timeout: updateTimeoutMs });
        const taken = readAnswer(reply.json());
        if (!taken.ok) return taken;
      }
      return accept(null);
    } finally {
      await connection.close();
    }
  } catch (error) {
    const reason = errorSentence(error);
    return refuse("unavailable", `the server at ${home.url} does not answer (${reason})`);
  }
}

/** A user of the system account, whose key is kept nowhere: to hand the server what it is to know. */
async function systemCredential(identity: Identity, nowS: number): Promise<Uint8Array> {
  return new TextEncoder().encode(await systemCredentialText(identity, nowS + systemUserLifeS));
}

/** The text of credentials for the server itself, never to be stored. `expiresAt`: Unix time in seconds, or null. */
export async function systemCredentialText(identity: Identity, expiresAt: number | null): Promise<string> {
  const pair = createUser();
  const options = expiresAt === null ? {} : { exp: expiresAt };
  const token = await encodeUser("system", pair, identity.systemAccount, {}, options);
  return new TextDecoder().decode(fmtCreds(token, pair));
}

const answerSchema = z.object({
  data: z.object({ code: z.number(), message: longText }).optional(),
  error: z.object({ code: z.number(), description: longText }).optional(),
});
const okCode = 200;

function readAnswer(answer: unknown): Outcome<null> {
  const parsed = answerSchema.safeParse(answer);
  if (parsed.success && parsed.data.data?.code === okCode) return accept(null);
  const reason = parsed.success ? (parsed.data.error?.description ?? parsed.data.data?.message) : undefined;
  return refuse(
    "conflict",
    `the server did not take an account of the mesh: ${reason ?? "its answer does not parse"}`,
  );
}
