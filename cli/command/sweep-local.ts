/** `trialmesh sweep local`: runs a sweep file's command on this machine, with no mesh at all. */
import type { Command } from "commander";
import { refuse } from "../../protocol/refusal.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { trialsMax } from "../../protocol/sweep.ts";
import { action, examples, fileArgument, printing } from "../shell/option.ts";
import { rangeFlag, wholeFlag } from "../shell/range.ts";
import type { LocalSweepOptions } from "./local-sweep.ts";
import { printRefusal } from "../shell/answer.ts";
import { printProblems } from "../shell/problems.ts";
import type { Terminal } from "../shell/terminal.ts";

const parallelMax = 1024;
/** Nobody waits longer for one trial, and a timer of the system counts no further. */
const secondsMax = 2_000_000;

interface Options extends LocalSweepOptions {
  readonly trials?: number;
  readonly seed?: number;
}

export function sweepLocalCommand(terminal: Terminal): Command {
  return printing(
    "local",
    "run a file's command on this machine, without a mesh (W&B, Katib, or one of ours)",
  )
    .argument("<file>", "a sweep file with a command, a W&B sweep file, or a Katib Experiment", fileArgument)
    .option("--parallel <n>", "so many trials at a time, instead of the file's", wholeFlag(1, parallelMax))
    .option("--trials <n>", "at most this many trials, instead of the file's", wholeFlag(1, trialsMax))
    .option("--seed <n>", "seed of the search, instead of the file's", wholeFlag(0))
    .option(
      "--timeout <seconds>",
      "end a trial that runs longer",
      rangeFlag({ least: 0, most: secondsMax, above: true }),
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh sweep local examples/digits/sweep.yaml",
        "trialmesh sweep local wandb-sweep.yaml --parallel 4 --trials 40",
      ),
    )
    .addHelpText(
      "after",
      "\nA trial prints its metrics as name=value or as JSON lines. `trialmesh sweep lint FILE` says how a file is understood.\n",
    )
    .action(action(terminal, (file: string, options: Options) => run(terminal, file, options)));
}

async function run(terminal: Terminal, file: string, options: Options): Promise<ExitCode> {
  const { readSweepAt } = await import("../../client/sweep/plan-sweep.ts");
  const { seed, trials } = options;
  const overrides = { ...(trials === undefined ? {} : { trials }), ...(seed === undefined ? {} : { seed }) };
  const read = await readSweepAt(file, overrides, terminal.environment);
  if (!read.ok) return printRefusal(terminal, options, read.refusal);
  if (!read.value.ok) return printProblems(terminal, options, file, read.value.problems);
  const found = read.value.file;
  if (found.kind === "models") {
    const why = `${file} trains models of trialmesh and runs no command; \`trialmesh sweep run ${file}\` runs it on a mesh`;
    return printRefusal(terminal, options, refuse("invalid", why).refusal);
  }
  if (found.sweep.module !== null) {
    const why = `${file} runs a module, which agents do; \`trialmesh sweep run ${file}\` runs it on a mesh`;
    return printRefusal(terminal, options, refuse("invalid", why).refusal);
  }
  const { localNote, localSweep } = await import("./local-sweep.ts");
  terminal.note(localNote(file, found, options));
  return localSweep(terminal, file, found, options);
}
