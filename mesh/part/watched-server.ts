/** A server that is started again when it dies, later each time it ends too soon or cannot be. It neither finds nor configures it. */
import { BackOff } from "../../system/back-off.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { RunningServer } from "../server-process.ts";

type State =
  | { readonly kind: "running"; readonly server: RunningServer }
  | { readonly kind: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "starting" | "stopped" };

/**
 * | state    | what it does                     | what moves it on                                                     |
 * | -------- | -------------------------------- | -------------------------------------------------------------------- |
 * | running  | waits for its process's end      | that, and `startAnew`, which ends it: waiting; `stop`: stopped       |
 * | waiting  | nothing, twice as long after     | the time: starting; `stop`: stopped                                  |
 * |          | each start that failed           |                                                                      |
 * | starting | starts it                        | started: running; failed: waiting; `stop`: stopped, and what still   |
 * |          |                                  | starts then is ended                                                 |
 * | stopped  | ends its process                 | nothing                                                              |
 */
export class WatchedServer {
  readonly #start: () => Promise<Outcome<RunningServer>>;
  readonly #log: (line: string) => void;
  readonly #backOff = new BackOff();
  #state: State;

  constructor(
    running: RunningServer,
    start: () => Promise<Outcome<RunningServer>>,
    log: (line: string) => void,
  ) {
    this.#start = start;
    this.#log = log;
    this.#state = this.#watch(running);
  }

  get pid(): number | null {
    return this.#state.kind === "running" ? this.#state.server.pid : null;
  }

  /** One that starts reads its certificate then. */
  reload(): void {
    if (this.#state.kind === "running") this.#state.server.reload();
  }

  startAnew(): void {
    if (this.#state.kind === "running") void this.#state.server.stop();
  }

  async stop(): Promise<void> {
    const before = this.#state;
    this.#state = { kind: "stopped" };
    if (before.kind === "waiting") clearTimeout(before.timer);
    if (before.kind === "running") await before.server.stop();
  }

  #watch(server: RunningServer): State {
    const startedAt = performance.now();
    void server.exited.then(({ reason }) => {
      if (this.#state.kind !== "running") return;
      this.#log(`server: ended${reason === "" ? "" : ` (${reason})`}; starting it again`);
      this.#state = this.#wait(performance.now() - startedAt);
    });
    return { kind: "running", server };
  }

  /** `ranMs`: how long it ran, 0 where it did not even start. */
  #wait(ranMs: number): State {
    return { kind: "waiting", timer: setTimeout(() => void this.#again(), this.#backOff.next(ranMs)) };
  }

  async #again(): Promise<void> {
    this.#state = { kind: "starting" };
    const started = await this.#start();
    if (!started.ok) this.#log(`server: ${started.refusal.message}`);
    if (!this.#isStarting()) {
      if (started.ok) await started.value.stop();
    } else if (started.ok) {
      this.#log(`server: process ${started.value.pid}`);
      this.#state = this.#watch(started.value);
    } else this.#state = this.#wait(0);
  }

  /** Asked after a wait, in which `stop` may have come. */
  #isStarting(): boolean {
    return this.#state.kind === "starting";
  }
}
