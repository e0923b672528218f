/**
 * How many commands one sender may give: a token bucket each. A flood is turned away before the loop sees it, so that one
 * requester's script cannot hold up everybody's journal. Budgets are something else: they bound work, not talk.
 *
 * CMD-2: no sender gets more than its burst at once, nor more than its rate over time; others are not affected.
 */
export const commandsPerSecond = 50;
export const commandsAtOnce = 500;

/** Senders remembered; one that has been quiet long enough has a full bucket anyway. */
const sendersMax = 10_000;

interface Bucket {
  left: number;
  at: number;
}

export class CommandLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** True where the sender may give a command at `at` (ms); takes it from its bucket. */
  allows(sender: string, at: number): boolean {
    const bucket = this.#buckets.get(sender) ?? { left: commandsAtOnce, at };
    // The oldest are forgotten first: taking the entry out and in again keeps the order of use.
    this.#buckets.delete(sender);
    this.#buckets.set(sender, bucket);
    if (this.#buckets.size > sendersMax) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    const passed = Math.max(0, at - bucket.at) / 1_000;
    bucket.left = Math.min(commandsAtOnce, bucket.left + passed * commandsPerSecond);
    bucket.at = Math.max(at, bucket.at);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}
