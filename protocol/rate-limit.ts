/**
 * How much each sender may say: a token bucket for each. A flood is turned away before anything is done about it, so that
 * one sender's script holds up nobody else. What is limited, and what becomes of the rest, is the caller's.
 *
 * CMD-2: no sender gets more than its burst at once, nor more than its rate over time; others are not affected.
 */

/** Senders remembered; one that has been quiet long enough has a full bucket anyway. */
const sendersMax = 10_000;

interface Bucket {
  left: number;
  at: number;
}

export interface Rate {
  readonly perSecond: number;
  /** After a pause: the bucket's size. */
  readonly atOnce: number;
}

export class RateLimit {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Takes what something has turned out to cost, also where that is more than there is: the sender then waits for it. */
  charge(sender: string, at: number, cost: number): void {
    this.#bucketOf(sender, at).left -= cost;
  }

  /** True where the sender may say `cost` more at `at` (ms); takes it from its bucket. What costs more than a bucket holds is never allowed. */
  allows(sender: string, at: number, cost = 1): boolean {
    const bucket = this.#bucketOf(sender, at);
    if (bucket.left < cost) return false;
    bucket.left -= cost;
    return true;
  }

  #bucketOf(sender: string, at: number): Bucket {
    const { atOnce, perSecond } = this.#rate;
    const bucket = this.#buckets.get(sender) ?? { left: atOnce, at };
    // The oldest are forgotten first: taking the entry out and in again keeps the order of use.
    this.#buckets.delete(sender);
    this.#buckets.set(sender, bucket);
    if (this.#buckets.size > sendersMax) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    const passed = Math.max(0, at - bucket.at) / 1_000;
    bucket.left = Math.min(atOnce, bucket.left + passed * perSecond);
    bucket.at = Math.max(at, bucket.at);
    return bucket;
  }
}
