/**
 * How many machines are served at once, and whose turn it is where more want to be. Pure: times come in. Not here: how fast
 * (`upload-rate.ts`).
 *
 * UPLOAD-2: no more machines are served at once than there are slots; one that was turned away comes before any that asks
 * again after its turn.
 */

/** Whoever comes next asks again after this long, ms. */
export const busyWaitMs = 200;
/** Those far behind ask no later than this, ms. */
const busyWaitMsMax = 800;
/** One that is so late has found what it wanted elsewhere; a slot is not kept free for it any longer. ms */
const lateMs = 150;
/** Of one's turn, where others wait, ms. */
const turnMs = 2_000;
/** More who wait are not remembered, and come in when they come. */
const waitingMax = 256;

interface Turn {
  asks: number;
  readonly since: number;
}

export class UploadSlots {
  #slots: number;
  readonly #turns = new Map<string, Turn>();
  /** Who was turned away, and when it is given up; the first comes next. */
  readonly #waiting = new Map<string, number>();

  constructor(slots: number) {
    this.#slots = slots;
  }

  change(slots: number): void {
    this.#slots = slots;
  }

  get served(): number {
    return this.#turns.size;
  }

  /** Whether this machine may be sent chunks; each time that it may is given back by `release`. */
  take(peer: string, now: number): boolean {
    for (const [name, until] of this.#waiting) if (now > until) this.#waiting.delete(name);
    const turn = this.#turns.get(peer);
    if (!this.#mayGo(peer, turn, now)) {
      if (this.#waiting.size < waitingMax || this.#waiting.has(peer)) {
        if (!this.#waiting.has(peer)) this.#waiting.set(peer, now);
        this.#waiting.set(peer, now + 1.25 * this.waitMs(peer) + lateMs);
      }
      return false;
    }
    this.#waiting.delete(peer);
    if (turn === undefined) this.#turns.set(peer, { asks: 1, since: now });
    else turn.asks++;
    return true;
  }

  /** After how long one that was turned away is to ask again, ms. */
  waitMs(peer: string): number {
    const place = [...this.#waiting.keys()].indexOf(peer);
    const rounds = 1 + Math.floor(Math.max(0, place) / Math.max(1, this.#slots));
    return Math.min(busyWaitMsMax, busyWaitMs * rounds);
  }

  release(peer: string): void {
    const turn = this.#turns.get(peer);
    if (turn === undefined) return;
    turn.asks--;
    if (turn.asks === 0) this.#turns.delete(peer);
  }

  #mayGo(peer: string, turn: Turn | undefined, now: number): boolean {
    if (turn !== undefined && this.#turns.size <= this.#slots)
      return now - turn.since < turnMs || this.#waiting.size === 0;
    const place = [...this.#waiting.keys()].indexOf(peer);
    const before = place < 0 ? this.#waiting.size : place;
    return this.#turns.size + before < this.#slots;
  }
}
