/**
 * When a job stood still, and how much of its work's time that was. Times are those of `steadyMs`, which runs
 * alike in all processes of a machine. It sends no signals.
 */

/** Ms of the machine's monotonic clock; comparable between processes, unlike `performance.now()`. */
export function steadyMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export class Suspension {
  readonly #past: Stretch[] = [];
  #since: number | null = null;
  /** How much of the work reported so far was spent standing still, ms. */
  #within = 0;

  get now(): boolean {
    return this.#since !== null;
  }

  begin(at: number): void {
    this.#since ??= at;
  }

  end(at: number): void {
    if (this.#since === null) return;
    this.#past.push({ from: this.#since, to: at });
    this.#since = null;
  }

  /** Work was done in that stretch, on the clock that does not stand still; gives all that is to be taken off so far, ms. */
  worked(stretch: Stretch): number {
    this.#within += this.#overlap(stretch);
    return this.#within;
  }

  /** Ms from `from` to `to` in which the job did not stand still. */
  awake(stretch: Stretch): number {
    return Math.max(0, stretch.to - stretch.from - this.#overlap(stretch));
  }

  #overlap(stretch: Stretch): number {
    const open = this.#since === null ? [] : [{ from: this.#since, to: stretch.to }];
    let ms = 0;
    for (const { from, to } of [...this.#past, ...open])
      ms += Math.max(0, Math.min(to, stretch.to) - Math.max(from, stretch.from));
    return ms;
  }
}
