/**
 * A runner without processes, files or real time: it keeps an injected clock, asks a function what an
 * epoch of a job costs and measures, and "checkpoints" into a map that simulated agents share.
 * Same jobs, same clock, same events: the whole mesh runs on it under a seed.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../protocol/time/clock.ts";
import type { CheckpointFile, Job, Runner, RunnerEvent, StopHow } from "../../agent/runner/runner.ts";

export interface SimulatedEpoch {
  readonly durationMs: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Set when the job fails in this epoch instead of finishing it. */
  readonly failure?: { readonly reason: string; readonly retryable: boolean };
}

/** What checkpoints hold, by path; a path is `sim:<digest>`, so that any agent's runner finds it. */
export type SimulatedStore = Map<string, { readonly resource: number; readonly bytes: number }>;

export interface SimulatedRunnerOptions {
  readonly clock: Clock;
  /** The epoch after which `resource` epochs are done. */
  readonly epoch: (job: Job, resource: number) => SimulatedEpoch;
  readonly store: SimulatedStore;
}

interface Running {
  readonly job: Job;
  resource: number;
  usedMs: number;
  metrics: Readonly<Record<string, number>>;
  file: CheckpointFile | null;
  stopAsked: boolean;
  /** When the epoch under way began or last went on, on the monotonic clock. */
  epochFrom: number;
  /** Ends the epoch under way; null between epochs. */
  epochEnd: (() => void) | null;
  /** What is left of the epoch under way, ms. */
  leftMs: number;
  suspended: boolean;
  cancel: () => void;
}

const checkpointBytes = 1024;

export function simulatedRunner({ clock, epoch, store }: SimulatedRunnerOptions): Runner {
  const listeners: ((event: RunnerEvent) => void)[] = [];
  const running = new Map<number, Running>();
  const emit = (event: RunnerEvent): void => {
    for (const listener of listeners) listener(event);
  };

  const settle = (run: Running, event: RunnerEvent): void => {
    run.cancel();
    running.delete(run.job.fence);
    emit(event);
  };
  const fail = (run: Running, reason: string, retryable: boolean): void =>
    settle(run, { kind: "failed", fence: run.job.fence, reason, retryable, usedMs: run.usedMs });
  const stopped = (run: Running): void => {
    const { job, resource, metrics, usedMs } = run;
    const kept = run.file ?? { path: null, digest: null, bytes: 0 };
    settle(run, { kind: "stopped", fence: job.fence, resource, metrics, usedMs, ...kept });
  };

  const nextEpoch = (run: Running): void => {
    const { job } = run;
    if (run.stopAsked) return stopped(run);
    const coming = epoch(job, run.resource + 1);
    run.leftMs = coming.durationMs;
    run.epochEnd = () => {
      run.epochEnd = null;
      run.usedMs += clock.monotonic() - run.epochFrom;
      if (coming.failure !== undefined) return fail(run, coming.failure.reason, coming.failure.retryable);
      run.resource++;
      run.metrics = coming.metrics;
      const at = { fence: job.fence, resource: run.resource, metrics: run.metrics, usedMs: run.usedMs };
      emit({ kind: "epoch", ...at });
      run.file = keep(store, job, run.resource);
      emit({ kind: "checkpoint", ...at, ...run.file });
      if (run.resource >= job.targetResource) settle(run, { kind: "finished", ...at, ...run.file });
      else if (running.get(job.fence) === run) nextEpoch(run); // a listener may have stopped it
    };
    goOn(run);
  };

  const goOn = (run: Running): void => {
    const { epochEnd } = run;
    run.epochFrom = clock.monotonic();
    // A suspended one waits for its resumption: a listener may have suspended it between two epochs.
    if (epochEnd !== null && !run.suspended) run.cancel = clock.setTimer(run.leftMs, epochEnd);
  };

  const resume = (run: Running): void => {
    if (!run.suspended) return;
    run.suspended = false;
    if (run.epochEnd !== null) goOn(run);
  };

  return {
    start: (job) => {
      const run: Running = {
        job,
        resource: job.fromResource,
        usedMs: 0,
        metrics: {},
        file: null,
        stopAsked: false,
        epochFrom: clock.monotonic(),
        epochEnd: null,
        leftMs: 0,
        suspended: false,
        cancel: () => undefined,
      };
      running.set(job.fence, run);
      run.cancel = clock.setTimer(0, () => {
        if (
          job.fromCheckpointPath !== null &&
          store.get(job.fromCheckpointPath)?.resource !== job.fromResource
        ) {
          return fail(
            run,
            `the checkpoint ${job.fromCheckpointPath} is not one of ${job.fromResource} epochs`,
            true,
          );
        }
        if (job.fromResource >= job.targetResource) {
          return fail(
            run,
            `trial ${job.trial} has ${job.fromResource} epochs already and was asked for ${job.targetResource}`,
            false,
          );
        }
        emit({ kind: "started", fence: job.fence, exact: true });
        if (running.get(job.fence) === run) nextEpoch(run);
      });
    },
    stop: (fence, how: StopHow) => {
      const run = running.get(fence);
      if (run === undefined) return;
      run.stopAsked = true;
      if (how === "checkpoint") return resume(run);
      run.cancel();
      if (!run.suspended) run.usedMs += clock.monotonic() - run.epochFrom;
      run.cancel = clock.setTimer(0, () => stopped(run));
    },
    suspend: (fence) => {
      const run = running.get(fence);
      if (run === undefined || run.suspended) return;
      run.suspended = true;
      // Before its first epoch there is nothing to interrupt: it will not begin.
      if (run.epochEnd === null) return;
      run.cancel();
      const doneMs = clock.monotonic() - run.epochFrom;
      run.usedMs += doneMs;
      run.leftMs = Math.max(0, run.leftMs - doneMs);
    },
    resume: (fence) => {
      const run = running.get(fence);
      if (run !== undefined) resume(run);
    },
    canSuspend: true,
    processes: () => [],
    onEvent: (listener) => {
      listeners.push(listener);
    },
    close: () => {
      for (const run of running.values()) run.cancel();
      running.clear();
      listeners.length = 0;
      return Promise.resolve();
    },
  };
}

/** The same trial at the same resource has the same digest wherever it ran, as real training here does. */
function keep(store: SimulatedStore, job: Job, resource: number): CheckpointFile {
  const content = JSON.stringify([job.task, job.model, job.params, job.seed, job.datasetPath, resource]);
  const digest = createHash("sha256").update(content).digest("hex");
  const path = `sim:${digest}`;
  store.set(path, { resource, bytes: checkpointBytes });
  return { path, digest, bytes: checkpointBytes };
}
