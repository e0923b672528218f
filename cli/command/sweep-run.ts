/**
 * `trialmesh sweep run`: checks a sweep file, brings its data into the mesh, submits it and follows it to its end. Of one
 * that runs a program the files are brought there too.
 */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples, fileArgument } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { printProblems } from "../shell/problems.ts";
import { overridesOf, withOverrides, type OverrideOptions } from "../shell/override-option.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import { followToEnd } from "./follow-to-end.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";

interface Options extends MeshOptions, OverrideOptions {
  readonly detach?: boolean;
}

export function sweepRunCommand(terminal: Terminal): Command {
  const command = asking("run", "run a sweep file; waits for its end and shows the best trials")
    .argument("<file>", "the sweep file (YAML): ours, W&B's, or a Katib Experiment", fileArgument)
    .option("--detach", "print the sweep's id and return at once")
    .option("--wait", "wait for the end (this is the default)");
  return withOverrides(command)
    .addHelpText(
      "after",
      examples(
        "trialmesh sweep run examples/language-id.yaml",
        "trialmesh sweep run my.yaml --models fasttext --trials 8 --as team-a",
        "trialmesh sweep run my.yaml --detach --json",
      ),
    )
    .addHelpText(
      "after",
      "\nExits 0 when the sweep is done, 1 when it was refused or stopped, 3 when it waits for tokens.\n",
    )
    .action(action(terminal, (file: string, options: Options) => runFile(terminal, file, options)));
}

async function runFile(terminal: Terminal, file: string, options: Options): Promise<ExitCode> {
  const { planSweep } = await import("../../client/sweep/plan-sweep.ts");
  const read = await planSweep(file, overridesOf(options), terminal.environment);
  if (!read.ok) return printRefusal(terminal, options, read.refusal);
  if (!read.value.ok) return printProblems(terminal, options, file, read.value.problems);
  const { plans } = read.value;
  return withMesh(terminal, options, (connected) => runSweeps(terminal, connected, { file, plans }, options));
}

async function runSweeps(
  terminal: Terminal,
  connected: Connected,
  planned: { readonly file: string; readonly plans: readonly SweepPlan[] },
  options: Options,
): Promise<ExitCode> {
  const { launchFile } = await import("../../client/sweep/launch-file.ts");
  const launched = await launchFile({
    ...planned,
    environment: terminal.environment,
    connected,
    progress: (line) => terminal.note(line),
  });
  if (!launched.ok) return printRefusal(terminal, options, launched.refusal);
  const sweeps = launched.value;
  const [sweep, second] = sweeps;
  if (options.detach === true)
    return printAnswer(terminal, options, accept(second === undefined ? { sweep } : { sweeps }), () =>
      sweeps.join("\n"),
    );
  return second === undefined
    ? followToEnd(terminal, connected, sweep, options)
    : followAll(terminal, connected, sweeps, options);
}

/** One after the other: those that have ended meanwhile are printed at once. As JSON, one list. */
async function followAll(
  terminal: Terminal,
  connected: Connected,
  sweeps: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const documents: string[] = [];
  const inner: Terminal =
    options.json === true ? { ...terminal, out: (text) => void documents.push(text) } : terminal;
  let worst: ExitCode = exitCode.ok;
  for (const sweep of sweeps) {
    const code = await followToEnd(inner, connected, sweep, options);
    if (code !== exitCode.ok) worst = code;
  }
  if (options.json === true) terminal.out(`[${documents.join(",\n")}]`);
  return worst;
}
