/**
 * The runner of commands: a program of the requester's in a group of processes of its own, in a folder of its own. It tells
 * what becomes of it in the events of every runner; whether its owner allows it was asked before.
 */
import type { Runner, RunnerEvent } from "../runner/runner.ts";
import type { SlotTable } from "../runner/slot-table.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { SecretHolder } from "./open-secrets.ts";
import { isCommandJob } from "./command-job.ts";
import { ProgramRun } from "./program-run.ts";
import { StartTurn } from "./start-turn.ts";

export interface ProgramRunnerOptions {
  readonly slots: SlotTable;
  /** The agent's own environment, of which programs get little. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `${interpreter}` stands for. */
  readonly interpreter: string;
  /** Whom secrets are sealed to; left out: nobody. */
  readonly secrets?: SecretHolder | null | undefined;
  /** What confines them; left out: nothing. */
  readonly sandbox?: Sandbox | null | undefined;
}

export function programRunner(options: ProgramRunnerOptions): Runner {
  const { environment, interpreter, sandbox, secrets, slots } = options;
  const listeners: ((event: RunnerEvent) => void)[] = [];
  const running = new Map<number, ProgramRun>();
  const turns = new StartTurn();
  let closed = false;

  const emit = (event: RunnerEvent): void => {
    if (!closed) for (const listener of listeners) listener(event);
  };

  return {
    start: (job) => {
      if (closed || !isCommandJob(job)) return;
      const slot = slots.take();
      const run = new ProgramRun({
        job,
        agentEnvironment: environment,
        slotEnvironment: slots.environment(slot),
        interpreter,
        sandbox,
        secrets,
        emit,
        turns,
        onEnd: (event) => {
          running.delete(job.fence);
          slots.free(slot);
          emit(event);
        },
      });
      running.set(job.fence, run);
      void run.toEnd();
    },
    stop: (fence, how) => running.get(fence)?.stop(how),
    suspend: (fence) => running.get(fence)?.suspend(),
    resume: (fence) => running.get(fence)?.resume(),
    // No program is a replica.
    serve: () => undefined,
    canSuspend: process.platform !== "win32",
    processes: () => [...running.values()].flatMap(({ pid }) => (pid === null ? [] : [pid])),
    onEvent: (listener) => {
      listeners.push(listener);
    },
    close: async () => {
      closed = true;
      const runs = [...running.values()];
      for (const run of runs) run.stop("kill");
      await Promise.all(runs.map((run) => run.ended));
    },
  };
}
