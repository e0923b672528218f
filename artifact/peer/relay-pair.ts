/**
 * Two connections of which each gets what the other says, unread, as fast as the owner of the machine between them lets it. Not here: who may have
 * one (`relay.ts`).
 */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { sleep } from "../../protocol/time/clock.ts";
import type { Upload } from "./upload.ts";
import { busyWaitMs } from "./upload-slot.ts";

/** Without a byte in either direction, ms. */
const idleMs = 60_000;
/** Whoever passes on something keeps its slot for so long, and is then one of those who want one, ms. */
const turnMs = 1_000;

/** What is passed on leaves this machine: it takes of the slots and the rate that the owner gives to all. */
export type UploadShare = Pick<Upload, "clock" | "pace" | "slots">;

/** A connection, bare, and who is at its other end. */
export interface PairEnd {
  readonly name: string;
  readonly socket: TLSSocket;
}

export class RelayPair {
  readonly ends: readonly [PairEnd, PairEnd];
  readonly #share: UploadShare;
  readonly #certificates: readonly (X509Certificate | undefined)[];
  readonly #onEnd: (pair: RelayPair) => void;
  /** Bytes that were passed on, in both directions. */
  moved = 0;
  #movedBefore = -1;
  #hasSlot = false;
  #isOver = false;
  #stopTurn: () => void;
  #stopLooking: () => void;

  constructor(ends: readonly [PairEnd, PairEnd], share: UploadShare, onEnd: (pair: RelayPair) => void) {
    this.ends = ends;
    this.#share = share;
    this.#onEnd = onEnd;
    this.#certificates = ends.map(({ socket }) => socket.getPeerX509Certificate());
    this.#stopTurn = share.clock.setTimer(turnMs, () => this.#turn());
    this.#stopLooking = share.clock.setTimer(idleMs, () => this.#look());
    const [a, b] = ends;
    for (const [one, other] of [
      [a.socket, b.socket],
      [b.socket, a.socket],
    ] as const) {
      one.on("data", (bytes: Buffer) => {
        // It waits for the other, for its turn and for the rate, and with it whoever sends.
        one.pause();
        void this.#pass(bytes, other).then(() => one.resume());
      });
      one.on("error", () => this.end());
      one.on("close", () => this.end());
    }
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTurn();
    this.#stopLooking();
    this.#release();
    for (const { socket } of this.ends) socket.destroy();
    this.#onEnd(this);
  }

  /** PEER-4: ends it where one of the two is not whom the mesh trusts any more. */
  recheck(trusts: (certificate: X509Certificate) => string | null): void {
    const isRight = this.ends.every(({ name }, index) => {
      const certificate = this.#certificates[index];
      return certificate !== undefined && trusts(certificate) === name;
    });
    if (!isRight) this.end();
  }

  async #pass(bytes: Buffer, to: TLSSocket): Promise<void> {
    while (!this.#isOver && !this.#takeSlot()) await sleep(this.#share.clock, busyWaitMs);
    await this.#share.pace?.take(bytes.length);
    if (this.#isOver) return;
    this.moved += bytes.length;
    if (!to.write(bytes)) await new Promise<void>((resolve) => whenDrained(to, resolve));
  }

  #takeSlot(): boolean {
    if (!this.#hasSlot)
      this.#hasSlot = this.#share.slots.take(turnName(this.ends), this.#share.clock.monotonic());
    return this.#hasSlot;
  }

  #release(): void {
    if (this.#hasSlot) this.#share.slots.release(turnName(this.ends));
    this.#hasSlot = false;
  }

  #turn(): void {
    this.#release();
    this.#stopTurn = this.#share.clock.setTimer(turnMs, () => this.#turn());
  }

  #look(): void {
    if (this.moved === this.#movedBefore) return this.end();
    this.#movedBefore = this.moved;
    this.#stopLooking = this.#share.clock.setTimer(idleMs, () => this.#look());
  }
}

/** Or when nobody is there any more. */
function whenDrained(socket: TLSSocket, then: () => void): void {
  const over = () => {
    socket.off("drain", over);
    socket.off("close", over);
    then();
  };
  socket.on("drain", over);
  socket.on("close", over);
}

/** No machine is called like this. */
function turnName([a, b]: RelayPair["ends"]): string {
  return `${a.name} and ${b.name}`;
}
