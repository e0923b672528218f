/** What `sweep local` and `sweep run` do with a file that runs a command: run it here, follow it, print its result. */
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { printRefusal, type PrintOptions } from "../shell/answer.ts";
import { plural } from "../../protocol/plural.ts";
import { formatMetric } from "../../text/figure.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import type { Terminal } from "../shell/terminal.ts";
import { localJson, localText } from "../print/local-result.ts";
import type { LocalTrial } from "../../client/local/local-trial.ts";
import { cameToResult, runCommandFile, type CommandFile } from "../../client/local/run-file.ts";
import type { LocalResult } from "../../client/local/run-local.ts";
import { jsonText } from "../../text/printable.ts";

export interface LocalSweepOptions extends PrintOptions {
  readonly parallel?: number;
  /** Seconds one trial may run. */
  readonly timeout?: number;
}

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export async function localSweep(
  terminal: Terminal,
  file: string,
  found: CommandFile,
  options: LocalSweepOptions,
): Promise<ExitCode> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  for (const signal of endingSignals) process.on(signal, onInterrupt);
  try {
    const run = await runCommandFile(file, found, {
      environment: terminal.environment,
      parallel: options.parallel,
      timeout: options.timeout,
      onEnded: (trial, soFar) => terminal.note(endedLine(trial, soFar)),
      interrupted: interrupt.signal,
    });
    if (!run.ok) return printRefusal(terminal, options, run.refusal);
    const { sweep } = found;
    const result = run.value;
    terminal.out(
      options.json === true ? jsonText(localJson(sweep, result)) : `\n${localText(sweep, result)}`,
    );
    if (result.end === "interrupted") return exitCode.interrupted;
    return cameToResult(found, result) ? exitCode.ok : exitCode.failed;
  } finally {
    for (const signal of endingSignals) process.off(signal, onInterrupt);
  }
}

function endedLine(trial: LocalTrial, { best }: LocalResult): string {
  const value = trial.values()?.[0];
  const figure = value === undefined ? "" : ` ${formatMetric(value)}`;
  const why = trial.reason === null ? "" : ` (${trial.reason})`;
  const so =
    best === null || best === trial ? "" : `; best so far ${formatMetric(best.values()?.[0] ?? null)}`;
  return `trial ${trial.number}: ${trial.state}${figure}${why}, ${trial.seconds.toFixed(1)} s, ${formatParams(trial.params)}${so}`;
}

/** What is printed before it starts. */
export function localNote(
  file: string,
  { origin, sweep }: CommandFile,
  { parallel = sweep.parallel }: LocalSweepOptions,
): string {
  const what = { trialmesh: "a sweep file", wandb: "a W&B sweep file", katib: "a Katib Experiment" }[origin];
  const { output, register, serve } = sweep.onMesh;
  const left = [
    ...(register === null ? [] : ["register"]),
    ...(output === null ? [] : ["output"]),
    ...(serve === null ? [] : ["serve"]),
  ];
  const told =
    left.length === 0
      ? ""
      : `; \`${left.join("` and `")}\` ${left.length === 1 ? "is" : "are"} for a mesh, and nothing of it is done here`;
  return `${file}: ${what} that runs a command; its trials run on this machine, ${plural(parallel, "trial")} at a time${told}`;
}
