/**
 * A runner without processes, files or real time: it keeps an injected clock, asks a function what an
 * epoch of a job costs and measures, and "checkpoints" into a map that simulated agents share.
 * Same jobs, same clock, same events: the whole mesh runs on it under a seed.
 */
import { createHash } from "node:crypto";
import type { Serving } from "../../protocol/deployment.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { CheckpointFile, Job, Runner, RunnerEvent, StopHow } from "../../agent/runner/runner.ts";

export interface SimulatedEpoch {
  readonly durationMs: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Set when the job fails in this epoch instead of finishing it. */
  readonly failure?: { readonly reason: string; readonly retryable: boolean };
}

/** What checkpoints hold, by path; a path is `sim:<digest>`, so that any agent's runner finds it. */
export type SimulatedStore = Map<
  string,
  { readonly resource: number; readonly bytes: number; readonly content: Uint8Array }
>;

export interface SimulatedRunnerOptions {
  readonly clock: Clock;
  /** The epoch after which `resource` epochs are done. */
  readonly epoch: (job: Job, resource: number) => SimulatedEpoch;
  readonly store: SimulatedStore;
}

const checkpointBytes = 1024;
/** A replica that is asked to stop does so within this, ms. */
const replicaTurnMs = 200;

export function simulatedRunner(options: SimulatedRunnerOptions): Runner {
  return new SimulatedRunner(options);
}

class SimulatedRunner implements Runner {
  readonly canSuspend = true;
  readonly #options: SimulatedRunnerOptions;
  readonly #listeners: ((event: RunnerEvent) => void)[] = [];
  readonly #running = new Map<number, SimulatedRun>();

  constructor(options: SimulatedRunnerOptions) {
    this.#options = options;
  }

  start(job: Job): void {
    const run = new SimulatedRun(job, this.#options, {
      emit: (event) => this.#emit(event),
      isRunning: () => this.#running.get(job.fence) === run,
      settle: (event) => {
        this.#running.delete(job.fence);
        this.#emit(event);
      },
    });
    this.#running.set(job.fence, run);
    run.begin();
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

  serve(fence: number, serving: Serving): void {
    this.#running.get(fence)?.serve(serving);
  }

  processes(): readonly number[] {
    return [];
  }

  onEvent(listener: (event: RunnerEvent) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    for (const run of this.#running.values()) run.cancel();
    this.#running.clear();
    this.#listeners.length = 0;
    return Promise.resolve();
  }

  #emit(event: RunnerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

interface RunHost {
  readonly emit: (event: RunnerEvent) => void;
  /** False once it has ended: a listener may have stopped it. */
  readonly isRunning: () => boolean;
  /** Its last event. */
  readonly settle: (event: RunnerEvent) => void;
}

class SimulatedRun {
  readonly #job: Job;
  readonly #options: SimulatedRunnerOptions;
  readonly #host: RunHost;
  #resource: number;
  #usedMs = 0;
  #metrics: Readonly<Record<string, number>> = {};
  #file: CheckpointFile | null = null;
  #stopAsked = false;
  /** When the epoch under way began or last went on, on the monotonic clock. */
  #epochFrom: number;
  /** Ends the epoch under way; null between epochs. */
  #epochEnd: (() => void) | null = null;
  /** What is left of the epoch under way, ms. */
  #leftMs = 0;
  #suspended = false;
  #cancel = (): void => undefined;

  constructor(job: Job, options: SimulatedRunnerOptions, host: RunHost) {
    this.#job = job;
    this.#options = options;
    this.#host = host;
    this.#resource = job.fromResource;
    this.#epochFrom = options.clock.monotonic();
  }

  begin(): void {
    const { clock, store } = this.#options;
    const { fence, fromCheckpointPath: path, fromResource, targetResource, trial } = this.#job;
    this.#cancel = clock.setTimer(0, () => {
      if (path !== null && store.get(path)?.resource !== fromResource)
        return this.#fail(`the checkpoint ${path} is not one of ${fromResource} epochs`, true);
      if (fromResource >= targetResource)
        return this.#fail(
          `trial ${trial} has ${fromResource} epochs already and was asked for ${targetResource}`,
          false,
        );
      this.#host.emit({ kind: "started", fence, exact: true, usedMs: 0 });
      if (this.#job.serving !== undefined) this.serve(this.#job.serving);
      if (this.#host.isRunning()) this.#nextEpoch();
    });
  }

  stop(how: StopHow): void {
    this.#stopAsked = true;
    if (how === "checkpoint") return this.resume();
    const { clock } = this.#options;
    this.#cancel();
    if (!this.#suspended) this.#usedMs += clock.monotonic() - this.#epochFrom;
    this.#cancel = clock.setTimer(0, () => this.#stopped());
  }

  /** A replica answers at once, at no place. */
  serve({ revision }: Serving): void {
    const replica = { revision, requests: 0, failed: 0 };
    const { fence } = this.#job;
    this.#host.emit({ kind: "serving", fence, port: 1, secret: "00", replica });
  }

  suspend(): void {
    if (this.#suspended) return;
    this.#suspended = true;
    // Before its first epoch there is nothing to interrupt: it will not begin.
    if (this.#epochEnd === null) return;
    this.#cancel();
    const doneMs = this.#options.clock.monotonic() - this.#epochFrom;
    this.#usedMs += doneMs;
    this.#leftMs = Math.max(0, this.#leftMs - doneMs);
  }

  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    if (this.#epochEnd !== null) this.#goOn();
  }

  cancel(): void {
    this.#cancel();
  }

  #nextEpoch(): void {
    if (this.#stopAsked) return this.#stopped();
    const coming =
      this.#job.serving === undefined
        ? this.#options.epoch(this.#job, this.#resource + 1)
        : { durationMs: replicaTurnMs, metrics: {} };
    this.#leftMs = coming.durationMs;
    this.#epochEnd = () => this.#endEpoch(coming);
    this.#goOn();
  }

  #endEpoch({ failure, metrics }: SimulatedEpoch): void {
    const { clock, store } = this.#options;
    const { fence, targetResource } = this.#job;
    this.#epochEnd = null;
    this.#usedMs += clock.monotonic() - this.#epochFrom;
    if (failure !== undefined) return this.#fail(failure.reason, failure.retryable);
    // A replica has no end of its own.
    if (this.#job.serving !== undefined) return this.#nextEpoch();
    this.#resource++;
    this.#metrics = metrics;
    const at = { fence, resource: this.#resource, metrics, usedMs: this.#usedMs };
    this.#host.emit({ kind: "epoch", ...at });
    const file = keep(store, this.#job, at.resource);
    this.#file = file;
    this.#host.emit({ kind: "checkpoint", ...at, ...file });
    if (at.resource >= targetResource) this.#settle({ kind: "finished", ...at, ...file });
    else if (this.#host.isRunning()) this.#nextEpoch(); // a listener may have stopped it
  }

  #goOn(): void {
    const { clock } = this.#options;
    this.#epochFrom = clock.monotonic();
    // A suspended one waits for its resumption: a listener may have suspended it between two epochs.
    if (this.#epochEnd !== null && !this.#suspended)
      this.#cancel = clock.setTimer(this.#leftMs, this.#epochEnd);
  }

  #stopped(): void {
    const kept = this.#file ?? { path: null, digest: null, bytes: 0 };
    this.#settle({
      kind: "stopped",
      fence: this.#job.fence,
      resource: this.#resource,
      metrics: this.#metrics,
      usedMs: this.#usedMs,
      ...kept,
    });
  }

  #fail(reason: string, retryable: boolean): void {
    this.#settle({ kind: "failed", fence: this.#job.fence, reason, retryable, usedMs: this.#usedMs });
  }

  #settle(event: RunnerEvent): void {
    this.#cancel();
    this.#host.settle(event);
  }
}

/**
 * The same trial at the same resource has the same digest wherever it ran, as real training here does. Every other one has its bytes at
 * hand, as a job of the agent's own process has, and goes with its report.
 */
function keep(store: SimulatedStore, job: Job, resource: number): CheckpointFile {
  const told = JSON.stringify([job.task, job.model, job.params, job.seed, job.datasetPath, resource]);
  const content = Buffer.from(told.padEnd(checkpointBytes));
  const digest = createHash("sha256").update(content).digest("hex");
  const path = `sim:${digest}`;
  const bytes = content.length;
  store.set(path, { resource, bytes, content });
  return digest < "8" ? { path, digest, bytes, content } : { path, digest, bytes };
}
