/** How long a command has run, time in which it stood still not counted, and a call when that is as long as it may. */

export class RunClock {
  readonly #timeoutMs: number | null;
  readonly #onTimeout: () => void;
  /** What it ran before it last began to. */
  #before = 0;
  /** When it last began to run; null while it stands still. */
  #since: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** Runs at once. `timeoutMs`: null for as long as it likes. */
  constructor(timeoutMs: number | null, onTimeout: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
    this.goOn();
  }

  get ranMs(): number {
    return this.#since === null ? this.#before : this.#before + performance.now() - this.#since;
  }

  get stands(): boolean {
    return this.#since === null;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#before = this.ranMs;
    this.#since = null;
  }

  goOn(): void {
    if (this.#since !== null) return;
    this.#since = performance.now();
    if (this.#timeoutMs !== null)
      this.#timer = setTimeout(this.#onTimeout, Math.max(0, this.#timeoutMs - this.#before));
  }
}
