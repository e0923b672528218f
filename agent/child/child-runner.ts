/**
 * The runner of real machines: one warm child process per slot, kept between trials of one backend and
 * memory limit, ended after a failure or so many trials. Tasks that cost nothing run in this process.
 * It does not restart what failed: whether to try again is the coordinator's question.
 */
import { availableParallelism } from "node:os";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Serving } from "../../protocol/deployment.ts";
import { carriedBytesMax } from "../../protocol/report-message.ts";
import { memoryLookMs } from "../../system/memory-limit.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { SlotTable } from "../runner/slot-table.ts";
import type { Job, Kept, Runner, RunnerEvent, StopHow } from "../runner/runner.ts";
import { runJob } from "./run-job.ts";
import { ChildPool } from "./child-pool.ts";
import { canSuspend, type Child, type ChildEnd } from "./child-process.ts";
import { ChildRun } from "./child-run.ts";
import type { FromChild } from "../runner/wire.ts";

export interface ChildRunnerOptions {
  /** Idle children kept warm at most. */
  readonly slots: number;
  /** Trials after which a child is ended, so that what leaks in it does not add up. */
  readonly trialsPerChild?: number;
  /** Whose threads and GPU a child uses; left out: this machine's cores shared among the slots, and no GPU. */
  readonly slotTable?: SlotTable;
  /** The agent's own environment; code of requesters gets little of it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What confines code of requesters; left out: nothing. */
  readonly sandbox?: Sandbox | null | undefined;
}

const trialsPerChildDefault = 200;

export function childRunner(options: ChildRunnerOptions): Runner {
  return new ChildRunner(options);
}

class ChildRunner implements Runner {
  readonly canSuspend = canSuspend;
  readonly #pool: ChildPool;
  readonly #listeners: ((event: RunnerEvent) => void)[] = [];
  /** By fence: every job whose last event has not been told. */
  readonly #running = new Map<number, ChildRun>();
  readonly #looks: NodeJS.Timeout;
  #closed = false;

  constructor({ environment, sandbox, slotTable, slots, trialsPerChild }: ChildRunnerOptions) {
    this.#pool = new ChildPool({
      slots,
      trialsPerChild: trialsPerChild ?? trialsPerChildDefault,
      slotTable: slotTable ?? new SlotTable(slots, { cores: availableParallelism(), gpus: 0 }),
      environment: environment ?? process.env,
      sandbox: sandbox ?? null,
      onEvent: (child, event) => {
        const run = this.#running.get(event.fence);
        if (run?.child === child) this.#hear(run, event);
      },
      onEnd: (child, end) => this.#ended(child, end),
    });
    this.#looks = setInterval(() => {
      for (const run of this.#running.values()) run.lookAtMemory();
    }, memoryLookMs);
    this.#looks.unref();
  }

  start(job: Job, kept?: Kept): void {
    if (this.#closed) return;
    if (runsHere(job)) {
      this.#runHere(job, kept);
      return;
    }
    const child = this.#childFor(job);
    if (child === null) return;
    this.#running.set(job.fence, new ChildRun(job, child));
    child.run(job);
  }

  #childFor(job: Job): Child | null {
    try {
      return this.#pool.take(job);
    } catch (error) {
      const { fence, trial } = job;
      const reason = `no process could be started for trial ${trial}: ${errorSentence(error)}`;
      queueMicrotask(() => this.#emit({ kind: "failed", fence, reason, retryable: true, usedMs: 0 }));
      return null;
    }
  }

  stop(fence: number, how: StopHow): void {
    this.#running.get(fence)?.stop(how);
  }

  suspend(fence: number): void {
    this.#running.get(fence)?.suspend();
  }

  resume(fence: number): void {
    this.#running.get(fence)?.resume();
  }

  serve(fence: number, serving: Serving, parts: Job["parts"]): void {
    this.#running.get(fence)?.child?.serve(fence, serving, parts);
  }

  processes(): readonly number[] {
    return this.#pool.pids();
  }

  onEvent(listener: (event: RunnerEvent) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looks);
    for (const run of this.#running.values()) if (run.child === null) run.stop("checkpoint");
    this.#running.clear();
    await this.#pool.close();
  }

  #runHere(job: Job, kept: Kept | undefined): void {
    const run = new ChildRun(job, null);
    this.#running.set(job.fence, run);
    void runJob(job, {
      emit: (event) => this.#hear(run, event),
      stopping: () => run.stopAsked,
      awake: () => run.rest,
      ownProcess: false,
      spared: { kept, heldBytesMax: carriedBytesMax },
    });
  }

  #hear(run: ChildRun, told: FromChild): void {
    if (this.#running.get(run.job.fence) !== run) return;
    const event = run.hear(told);
    if (event.kind === "finished" || event.kind === "stopped" || event.kind === "failed")
      this.#settle(run, event);
    else this.#emit(event);
  }

  #ended(child: Child, end: ChildEnd): void {
    const run = [...this.#running.values()].find((candidate) => candidate.child === child);
    if (run !== undefined) this.#settle(run, run.endOf(end));
  }

  /** Its last event. */
  #settle(run: ChildRun, event: RunnerEvent): void {
    this.#running.delete(run.job.fence);
    if (run.child !== null)
      this.#pool.giveBack(run.child, event.kind !== "failed" && run.job.serving === undefined);
    this.#emit(event);
  }

  #emit(event: RunnerEvent): void {
    if (!this.#closed) for (const listener of this.#listeners) listener(event);
  }
}

/** A task that costs nothing needs no process of its own. */
function runsHere(job: Job): boolean {
  return job.serving === undefined && job.task === "noop" && (job.params["milliseconds"] ?? 0) === 0;
}
