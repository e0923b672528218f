/** Where `trialmesh up` lets invited machines in, as long as it runs on the machine with the mesh's keys. What it answers is in `exchange.ts`. */
import { BusError, type Bus, type Incoming } from "../../protocol/bus/bus.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { RateLimit } from "../../protocol/rate-limit.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { exchange, joiningSchema, type Joined, type Joining } from "../exchange.ts";
import {
  exchangeCredential,
  exchangeInbox,
  exchangeSubject,
  invitationIn,
  questionBytesMax,
} from "../exchange-account.ts";
import { connectServer } from "../connect-server.ts";
import type { Home } from "../home.ts";
import { loadIdentity, type Identity } from "../identity.ts";
import { forgetOldInvitations, readInvitation } from "../invitation.ts";

/** INV-2, of one invitation: each question that is looked at may be written down. */
const questionRate = { perSecond: 1, atOnce: 5 };
/** Questions of all invitations that wait for their turn. */
const waitingMax = 100;

export interface Exchange {
  stop(): Promise<void>;
}

/** `now` is Unix time in ms. */
export async function serveExchange(
  home: Home,
  now: () => number,
  log: (line: string) => void,
): Promise<Outcome<Exchange>> {
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const forgotten = forgetOldInvitations(home, Math.floor(now() / 1000));
  if (!forgotten.ok) return forgotten;
  let bus: Bus;
  try {
    const creds = await exchangeCredential(identity.value, home.mesh);
    bus = await connectServer(home, {
      creds,
      name: "exchange of invitations",
      inboxPrefix: exchangeInbox,
    });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return refuse("unavailable", `nobody can be let in by invitation: ${error.message}`);
  }
  answerOn(bus, home, identity.value, now, log);
  return accept({ stop: () => bus.close() });
}

function answerOn(
  bus: Bus,
  home: Home,
  identity: Identity,
  now: () => number,
  log: (line: string) => void,
): void {
  const rate = new RateLimit(questionRate);
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  const answer = async (message: Incoming, account: string, joining: Joining): Promise<void> => {
    const nowS = Math.floor(now() / 1000);
    const joined = await exchange(home, identity, account, joining, nowS);
    tell(home, account, joining, joined, log);
    message.respond(toBytes(joined));
    waiting -= 1;
  };
  bus.subscribe(exchangeSubject(home.mesh, "*"), (message) => {
    const account = invitationIn(message.subject);
    const busy = waiting >= waitingMax || !rate.allows(account, performance.now());
    if (busy || message.data.length > questionBytesMax)
      return message.respond(
        toBytes(refuse("unavailable", "too many ask at once; try again in some seconds")),
      );
    const joining = parseOutside(joiningSchema, fromBytes(message.data), "the request to join");
    if (!joining.ok) return message.respond(toBytes(joining));
    waiting += 1;
    last = last.then(() => answer(message, account, joining.value));
  });
}

/** Both sides of a line that was used twice are shown to the mesh's owner, here and in `trialmesh invite --list`. */
function tell(
  home: Home,
  account: string,
  { machine }: Joining,
  joined: Outcome<Joined>,
  log: (line: string) => void,
): void {
  if (joined.ok) return log(`invitations: ${machine} joined as ${joined.value.role} ${joined.value.name}`);
  const known = readInvitation(home, account);
  const invitation = known.ok ? known.value : null;
  const what = invitation === null ? "" : ` as ${invitation.role} ${invitation.name}`;
  log(`invitations: ${machine} was turned away${what}: ${joined.refusal.message}`);
}
