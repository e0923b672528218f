/** What `sweep local` and `sweep run` do with a file that runs a command: run it here, follow it, print its result. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { samplerNamed } from "../../search/choose/choose-sampler.ts";
import { refuse } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { printRefusal, type PrintOptions } from "../shell/answer.ts";
import { plural } from "../../protocol/plural.ts";
import { formatMetric, formatParams } from "../../text/figure.ts";
import type { AnySweep } from "../../spec/file/read-any-file.ts";
import type { Terminal } from "../shell/terminal.ts";
import { findFolder } from "../../client/local/find-folder.ts";
import { localJson, localText } from "../print/local-result.ts";
import type { LocalTrial } from "../../client/local/local-trial.ts";
import { runLocal, type LocalResult } from "../../client/local/run-local.ts";
import { jsonText } from "../../text/printable.ts";

export interface LocalSweepOptions extends PrintOptions {
  readonly parallel?: number;
  /** Seconds one trial may run. */
  readonly timeout?: number;
}

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

type CommandFile = Extract<AnySweep, { kind: "command" }>;

export async function localSweep(
  terminal: Terminal,
  file: string,
  { origin, sweep: given }: CommandFile,
  options: LocalSweepOptions,
): Promise<ExitCode> {
  const sweep = { ...given, parallel: options.parallel ?? given.parallel };
  const { method } = sweep.search;
  const sampler = samplerNamed(method);
  if (sampler === null) {
    const why = `${file}: method ${method} takes its trials from another program, and only a mesh can be asked by one`;
    return printRefusal(terminal, options, refuse("invalid", why).refusal);
  }
  const temporary = mkdtempSync(join(tmpdir(), "trialmesh-local-"));
  let files = 0;
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  for (const signal of endingSignals) process.on(signal, onInterrupt);
  try {
    const result = await runLocal({
      sweep,
      sampler,
      folder: findFolder(sweep, origin, file),
      environment: terminal.environment,
      interpreter: findInterpreter(terminal.environment),
      timeoutMs: options.timeout === undefined ? null : options.timeout * 1000,
      writeFile(text) {
        const path = join(temporary, `args-${++files}.json`);
        writeFileSync(path, text);
        return path;
      },
      onEnded: (trial, soFar) => terminal.note(endedLine(trial, soFar)),
      interrupted: interrupt.signal,
    });
    terminal.out(
      options.json === true ? jsonText(localJson(sweep, result)) : `\n${localText(sweep, result)}`,
    );
    if (result.end === "interrupted") return exitCode.interrupted;
    const worked =
      sweep.objectives.length === 0
        ? result.trials.some((trial) => trial.state === "completed")
        : result.best !== null;
    return worked && result.end !== "failures" ? exitCode.ok : exitCode.failed;
  } finally {
    for (const signal of endingSignals) process.off(signal, onInterrupt);
    rmSync(temporary, { recursive: true, force: true });
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
  return `${file}: ${what} that runs a command; its trials run on this machine, ${plural(parallel, "trial")} at a time`;
}
