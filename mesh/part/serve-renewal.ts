/**
 * Where `trialmesh up` renews credentials of before each user had an account of its own, as long as somebody has one. They are
 * asked for on subjects that such a credential may speak on: the role and name in them are the server's word for who asks.
 */
import { encodeUser, fmtCreds } from "@nats-io/jwt";
import { createUser } from "@nats-io/nkeys";
import { BusError, type Bus, type Incoming } from "../../protocol/bus/bus.ts";
import { asksForCertificate } from "../../protocol/certificate/certificate-request.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { RateLimit } from "../../protocol/rate-limit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { isRenewal, renewalAsker, renewalPatterns } from "../../protocol/renewal.ts";
import { joiningSchema } from "../exchange.ts";
import { connectServer } from "../connect-server.ts";
import type { Home } from "../home.ts";
import { loadIdentity, type Identity } from "../identity.ts";
import { finishRenewals, renew } from "../renew.ts";
import { listUsers, sharedUsers } from "../user.ts";
import * as z from "zod";

/** How long the old key counts beside the new one, ms: the answer arrives, or is asked for again. */
const bothCountDefaultMs = 60_000;
const renewalRate = { perSecond: 0.5, atOnce: 5 };
const inbox = "_INBOX.renewal";
const askedSchema = z.object({ renew: joiningSchema });

export interface Renewals {
  stop(): Promise<void>;
}

/** Null where nobody shares an account any more. `now`: Unix time in ms. */
export async function serveRenewals(
  home: Home,
  now: () => number,
  log: (line: string) => void,
  bothCountMs = bothCountDefaultMs,
): Promise<Outcome<Renewals | null>> {
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const users = listUsers(home);
  if (!users.ok) return users;
  if (sharedUsers(users.value).length === 0) return accept(null);
  let bus: Bus;
  try {
    const creds = await ownCredential(identity.value, home.mesh);
    bus = await connectServer(home, { creds, name: "renewals", inboxPrefix: inbox });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return refuse("unavailable", `no credential is renewed: ${error.message}`);
  }
  const finish = async (due: (renewal: string) => boolean): Promise<void> => {
    const finished = await finishRenewals(home, identity.value, Math.floor(now() / 1000), due);
    if (!finished.ok) return log(`renewals: ${finished.refusal.message}`);
    for (const user of finished.value)
      log(`renewals: ${user} has an account of its own now; its old credential is refused`);
  };
  // What an earlier `up` had begun.
  await finish(() => true);
  const timers = new Set<NodeJS.Timeout>();
  const later = (renewed: string) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void finish((renewal) => renewal === renewed);
    }, bothCountMs);
    timers.add(timer);
  };
  answerOn(bus, home, identity.value, now, later);
  return accept({
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      await bus.close();
    },
  });
}

function answerOn(
  bus: Bus,
  home: Home,
  identity: Identity,
  now: () => number,
  renewed: (publicKey: string) => void,
): void {
  const rate = new RateLimit(renewalRate);
  let last: Promise<void> = Promise.resolve();
  const hear = (message: Incoming) => {
    const asker = renewalAsker(message.subject);
    const body = fromBytes(message.data);
    // What else is said on these subjects is the leader's, or asks for a certificate.
    if (asker === null || !isRenewal(body) || asksForCertificate(body)) return;
    if (!rate.allows(`${asker.role}/${asker.name}`, performance.now())) return;
    const asked = askedSchema.safeParse(body);
    if (!asked.success)
      return message.respond(toBytes(refuse("invalid", "this request to renew a credential does not parse")));
    last = last.then(async () => {
      const { name, role } = asker;
      const answer = await renew(home, identity, role, name, asked.data.renew, Math.floor(now() / 1000));
      message.respond(toBytes(answer));
      if (answer.ok) renewed(asked.data.renew.publicKey);
    });
  };
  for (const pattern of renewalPatterns(home.mesh)) bus.subscribe(pattern, hear);
}

/** Enters the mesh's account, where those who share it are; never stored. */
async function ownCredential(identity: Identity, mesh: string): Promise<string> {
  const pair = createUser();
  const token = await encodeUser(
    "renewals",
    pair,
    identity.meshAccount,
    { pub: { allow: ["_INBOX.>", "_R_.>"] }, sub: { allow: [...renewalPatterns(mesh), `${inbox}.>`] } },
    { signer: identity.signing },
  );
  return new TextDecoder().decode(fmtCreds(token, pair));
}
