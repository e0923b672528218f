/**
 * The runner of a machine: models and modules in warm children, commands as programs. It only says which job is whose; both
 * share the machine's slots.
 */
import { isCommandJob } from "../program/command-job.ts";
import type { SecretHolder } from "../program/open-secrets.ts";
import { programRunner } from "../program/program-runner.ts";
import { childRunner } from "./child-runner.ts";
import type { Runner } from "../runner/runner.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { SlotTable, type Machine } from "../runner/slot-table.ts";

export interface MachineRunnerOptions {
  readonly slots: number;
  readonly machine: Machine;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What programs get for `${interpreter}`. */
  readonly interpreter: string;
  /** Whom secrets of programs are sealed to; left out: nobody. */
  readonly secrets?: SecretHolder | null | undefined;
  /** What confines the programs of requesters; left out: nothing. */
  readonly sandbox?: Sandbox | null | undefined;
}

export function machineRunner(options: MachineRunnerOptions): Runner {
  const { environment, interpreter, machine, sandbox, secrets, slots } = options;
  const slotTable = new SlotTable(slots, machine);
  const children = childRunner({ slots, slotTable, environment, sandbox });
  const programs = programRunner({ slots: slotTable, environment, interpreter, sandbox, secrets });
  // A fence that a runner does not know is ignored, so both may be asked.
  const both = [children, programs];
  return {
    start: (job, kept) => (isCommandJob(job) ? programs : children).start(job, kept),
    stop: (fence, how) => both.forEach((runner) => runner.stop(fence, how)),
    suspend: (fence) => both.forEach((runner) => runner.suspend(fence)),
    resume: (fence) => both.forEach((runner) => runner.resume(fence)),
    serve: (fence, serving, parts) => children.serve(fence, serving, parts),
    canSuspend: children.canSuspend,
    processes: () => both.flatMap((runner) => runner.processes()),
    onEvent: (listener) => both.forEach((runner) => runner.onEvent(listener)),
    close: async () => {
      await Promise.all(both.map((runner) => runner.close()));
    },
  };
}
