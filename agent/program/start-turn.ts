/**
 * Programs begin one after the other, and between two of them the agent does what else is due: to start a process holds up its thread, on a busy
 * machine for a tenth of a second, and thirty at once would hold up its heartbeats for longer than a lease. Not how many run: slots say that.
 *
 * AGENT-8: heartbeats wait for the start of one program at most.
 */
export class StartTurn {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn, which ends with what the caller does at once. */
  take(): Promise<void> {
    this.#last = this.#last.then(() => new Promise((resolve) => void setImmediate(resolve)));
    return this.#last;
  }
}
