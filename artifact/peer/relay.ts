/**
 * A way between two machines that cannot reach each other, through one that both reach: it passes bytes on and sees only what
 * they have encrypted for each other. Both connect to it, so neither needs a port of its own. Not here: what they say.
 *
 * RELAY-1: a relay passes on for no more pairs than its owner allows, only between machines of the mesh, and for none longer than
 * something goes through.
 */
import type { TLSSocket } from "node:tls";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { peerFault } from "./peer-fault.ts";
import type { Peer, PeerDoor } from "./peer-door.ts";
import { notMine, type PeerLink } from "./peer-link.ts";
import { writeMessage, type PeerMessage } from "./peer-message.ts";

export interface RelayLimits {
  /** Pairs that are passed on for at once. */
  readonly pairs: number;
}

const defaultLimits: RelayLimits = { pairs: 8 };
/** From the question to the answer of the one that was called, ms. */
const answerMs = 8_000;
/** Without a byte in either direction, ms. */
const idleMs = 60_000;

interface Call {
  readonly from: PeerLink;
  readonly name: string;
  readonly stop: () => void;
}

interface Pair {
  readonly names: readonly string[];
  readonly end: () => void;
}

export interface RelayOptions {
  readonly door: PeerDoor;
  readonly clock: Clock;
  /** `tokenBytes` random bytes, in hexadecimal digits. */
  readonly newToken: () => string;
  readonly limits?: RelayLimits;
}

/** The side of the one that passes on. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #calls = new Map<string, Call>();
  readonly #pairs = new Set<Pair>();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  get pairs(): number {
    return this.#pairs.size;
  }

  /** Answers who asks for a way on this link, and who was called. */
  serve(link: PeerLink): void {
    link.attach({
      message: (message) => this.#message(link, message),
      place: () => notMine,
      bulk: () => {},
      closed: () => this.#forget(link),
    });
  }

  /** PEER-4 holds for what is passed on too. */
  revoke(names: ReadonlySet<string>): void {
    for (const pair of this.#pairs) if (pair.names.some((name) => names.has(name))) pair.end();
  }

  #message(link: PeerLink, message: PeerMessage): string | null {
    if (message.kind === "connect") this.#call(link, message.name);
    if (message.kind !== "answer") return null;
    const call = this.#calls.get(message.token);
    if (call?.name !== link.peer) return "an answer to nobody";
    this.#calls.delete(message.token);
    call.stop();
    this.#join(call, link);
    return null;
  }

  #call(from: PeerLink, name: string): void {
    const { clock, door, limits = defaultLimits, newToken } = this.#options;
    const to = [...door.links].find((link) => link.peer === name && link !== from);
    const isFull = this.#pairs.size + this.#calls.size >= limits.pairs;
    if (to === undefined || isFull)
      return from.send({ kind: "refused", id: 0, reason: isFull ? "busy" : "not-here", waitMs: 0 });
    const token = newToken();
    const late = () => {
      this.#calls.delete(token);
      from.close(peerFault("unreachable", `"${name}" did not answer within ${answerMs / 1_000} s`));
    };
    this.#calls.set(token, { from, name, stop: clock.setTimer(answerMs, late) });
    to.send({ kind: "called", token });
  }

  #join({ from, name }: Call, to: PeerLink): void {
    const names = [from.peer, name];
    const [a, b] = [from.takeSocket(), to.takeSocket()];
    const { clock } = this.#options;
    let [moved, before] = [0, 0];
    const look = () => {
      if (moved === before) return end();
      before = moved;
      stopLooking = clock.setTimer(idleMs, look);
    };
    let stopLooking = clock.setTimer(idleMs, look);
    const end = () => {
      stopLooking();
      this.#pairs.delete(pair);
      a.destroy();
      b.destroy();
    };
    const pair: Pair = { names, end };
    this.#pairs.add(pair);
    a.write(writeMessage({ kind: "connected" }));
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      one.on("data", (bytes: Buffer) => {
        moved += bytes.length;
      });
      one.on("error", end);
      one.on("close", end);
      // It waits where the other takes no more.
      one.pipe(other);
    }
  }

  #forget(link: PeerLink): void {
    for (const [token, call] of this.#calls)
      if (call.from === link) {
        call.stop();
        this.#calls.delete(token);
      }
  }
}

/** A link with `peer` by way of a machine that both reach. */
export async function reachThrough(
  door: PeerDoor,
  relay: Peer,
  peer: Peer,
  clock: Clock,
): Promise<Outcome<PeerLink>> {
  const way = await door.dial(relay, "bare");
  if (!way.ok) return way;
  const socket = await wayThrough(way.value, peer.name, clock);
  return socket.ok ? door.dial(peer, socket.value) : socket;
}

async function wayThrough(way: PeerLink, name: string, clock: Clock): Promise<Outcome<TLSSocket>> {
  await way.settled();
  return new Promise((resolve) => {
    const fail = (why: string) => {
      late();
      way.close(peerFault("done", "it is not needed any more"));
      resolve(refuse("unavailable", `"${name}" cannot be reached through "${way.peer}": ${why}`));
    };
    const late = clock.setTimer(2 * answerMs, () => fail("it does not answer"));
    const detach = way.attach({
      message: (message) => {
        if (message.kind === "refused") {
          detach();
          fail(
            message.reason === "busy" ? "it passes on for as many as it may" : "it is not connected there",
          );
        }
        if (message.kind !== "connected") return null;
        late();
        detach();
        resolve(accept(way.takeSocket()));
        return null;
      },
      place: () => notMine,
      bulk: () => {},
      closed: (fault) => fail(fault.message),
    });
    way.send({ kind: "connect", name });
  });
}

/** Answers calls that come on this link, by a connection to the relay at `relay`, of which others are then taken as if they had come here. */
export function answerCalls(link: PeerLink, door: PeerDoor, relay: Peer): void {
  const answer = async (token: string): Promise<void> => {
    const way = await door.dial(relay, "bare");
    if (!way.ok) return;
    await way.value.settled();
    if (way.value.fault !== null) return;
    way.value.send({ kind: "answer", token });
    door.arrive(way.value.takeSocket());
  };
  link.attach({
    message: (message) => {
      if (message.kind === "called") void answer(message.token);
      return null;
    },
    place: () => notMine,
    bulk: () => {},
    closed: () => {},
  });
}
