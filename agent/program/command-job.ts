/** A job that runs a command, and how it is recognised among the others. */
import type { CommandProgram } from "../../protocol/program.ts";
import type { Job } from "../runner/runner.ts";

export interface CommandJob extends Job {
  readonly program: CommandProgram;
}

export function isCommandJob(job: Job): job is CommandJob {
  return job.program?.kind === "command";
}
