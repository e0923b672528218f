/**
 * How many machines are served at once, and whose turn it is where more want to be. Pure: times come in. Not here: how fast
 * (`upload-rate.ts`).
 *
 * UPLOAD-2: no more machines are served at once than there are slots; one that was turned away comes before any that asks
 * again after its turn.
 */

/** Asked again after this long, ms. */
export const busyWaitMs = 200;
/** One that has not asked again after so long has given up, ms. */
const waitingMs = 5 * busyWaitMs;
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
  /** Who was turned away, and when last; the first comes next. */
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
    for (const [name, at] of this.#waiting) if (now - at > waitingMs) this.#waiting.delete(name);
    const turn = this.#turns.get(peer);
    if (!this.#mayGo(peer, turn, now)) {
      if (this.#waiting.size < waitingMax || this.#waiting.has(peer)) this.#waiting.set(peer, now);
      return false;
    }
    this.#waiting.delete(peer);
    if (turn === undefined) this.#turns.set(peer, { asks: 1, since: now });
    else turn.asks++;
    return true;
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
