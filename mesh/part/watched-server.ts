/** A server that is started again when it dies, later each time it cannot be. It neither finds nor configures it. */
import type { Outcome } from "../../protocol/refusal.ts";
import type { RunningServer } from "../server-process.ts";

const backoffMs = 500;
const backoffMaxMs = 30_000;

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
    void server.exited.then(({ reason }) => {
      if (this.#state.kind !== "running") return;
      this.#log(`server: ended${reason === "" ? "" : ` (${reason})`}; starting it again`);
      this.#state = this.#wait(backoffMs);
    });
    return { kind: "running", server };
  }

  #wait(ms: number): State {
    return { kind: "waiting", timer: setTimeout(() => void this.#again(ms), ms) };
  }

  async #again(waitedMs: number): Promise<void> {
    this.#state = { kind: "starting" };
    const started = await this.#start();
    if (!started.ok) this.#log(`server: ${started.refusal.message}`);
    if (!this.#isStarting()) {
      if (started.ok) await started.value.stop();
    } else if (started.ok) {
      this.#log(`server: process ${started.value.pid}`);
      this.#state = this.#watch(started.value);
    } else this.#state = this.#wait(Math.min(backoffMaxMs, waitedMs * 2));
  }

  /** Asked after a wait, in which `stop` may have come. */
  #isStarting(): boolean {
    return this.#state.kind === "starting";
  }
}
