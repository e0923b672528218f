/**
 * How long to wait before something that ended too soon is started again: twice as long each time, until it has run long
 * enough to count as healthy. It neither waits nor starts anything. Without jitter: who restarts here is alone on its machine.
 */

const startMs = 500;
const maxMs = 30_000;
/** What ran this long was healthy: its next end is its first. */
const healthyMs = 60_000;

export class BackOff {
  #ends = 0;

  /** The wait in ms after a run of `ranMs`; 0 where it did not even start. */
  next(ranMs: number): number {
    this.#ends = ranMs > healthyMs ? 1 : this.#ends + 1;
    return Math.min(maxMs, startMs * 2 ** (this.#ends - 1));
  }
}
