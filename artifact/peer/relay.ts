/**
 * A way between two machines that cannot reach each other, through one that both reach: it passes bytes on and sees only what
 * they have encrypted for each other. Both connect to it, so neither needs a port of its own. Here is the one between; not here: the
 * two ends (`relayed-way.ts`), and what they say.
 *
 * RELAY-1: a relay passes on for no more pairs than its owner allows, only between machines of the mesh, and for none longer than
 * something goes through.
 * RELAY-2: what it passes on takes of the slots and the rate that the owner of its machine gives to others in all.
 */
import type { X509Certificate } from "node:crypto";
import type { Clock } from "../../protocol/time/clock.ts";
import { peerFault } from "./peer-fault.ts";
import type { PeerDoor } from "./peer-door.ts";
import { notMine, type PeerLink } from "./peer-link.ts";
import { writeMessage, type PeerMessage } from "./peer-message.ts";
import { RelayPair, type UploadShare } from "./relay-pair.ts";

/** Pairs that are passed on for at once: each is two connections. */
const pairsMax = 8;
/** From the question to the answer of the one that was called, ms. */
export const answerMs = 8_000;

interface Call {
  readonly from: PeerLink;
  readonly name: string;
  readonly stop: () => void;
}

export interface RelayOptions {
  readonly door: Pick<PeerDoor, "links">;
  readonly clock: Clock;
  /** `tokenBytes` random bytes, in hexadecimal digits. */
  readonly newToken: () => string;
  /** Null: the owner lets it pass nothing on. */
  readonly share: UploadShare | null;
  /** Hears of each pair that is over. */
  readonly onEnd?: (pair: RelayPair) => void;
}

/** The side of the one that passes on. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #calls = new Map<string, Call>();
  readonly #pairs = new Set<RelayPair>();

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

  /** PEER-4 holds for what is passed on too: whom the mesh trusts has changed. */
  recheck(trusts: (certificate: X509Certificate) => string | null): void {
    for (const pair of [...this.#pairs]) pair.recheck(trusts);
  }

  close(): void {
    for (const pair of [...this.#pairs]) pair.end();
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
    const { clock, door, newToken, share } = this.#options;
    const to = [...door.links].find((link) => link.peer === name && link !== from);
    const isFull = this.#pairs.size + this.#calls.size >= pairsMax;
    if (share === null) return from.send({ kind: "refused", id: 0, reason: "not-allowed", waitMs: 0 });
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
    const { onEnd, share } = this.#options;
    if (share === null) return;
    const ends = [
      { name: from.peer, socket: from.takeSocket() },
      { name, socket: to.takeSocket() },
    ] as const;
    const pair = new RelayPair(ends, share, (over) => {
      this.#pairs.delete(over);
      onEnd?.(over);
    });
    this.#pairs.add(pair);
    ends[0].socket.write(writeMessage({ kind: "connected" }));
  }

  #forget(link: PeerLink): void {
    for (const [token, call] of this.#calls)
      if (call.from === link) {
        call.stop();
        this.#calls.delete(token);
      }
  }
}
