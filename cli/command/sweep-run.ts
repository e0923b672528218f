/** `trialmesh sweep run`: checks a sweep file, brings its data into the mesh, submits it and follows it to its end. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../exit-code.ts";
import { action, asking, countFlag, examples, listFlag, numberFlag } from "../option.ts";
import { printAnswer, printRefusal } from "../print/answer.ts";
import type { SweepOverrides } from "../sweep-file/override.ts";
import type { Terminal } from "../terminal.ts";
import { withMesh, type Connected, type MeshOptions } from "../with-mesh.ts";
import * as z from "zod";

interface Options extends MeshOptions {
  readonly detach?: boolean;
  readonly trials?: number;
  readonly seed?: number;
  readonly models?: string[];
  readonly max?: number;
  readonly budget?: number;
}

export function sweepRunCommand(terminal: Terminal): Command {
  return asking("run", "run a sweep file; waits for its end and shows the best trials")
    .argument("<file>", "the sweep file (YAML)")
    .option("--detach", "print the sweep's id and return at once")
    .option("--wait", "wait for the end (this is the default)")
    .option("--trials <n>", "at most this many trials, instead of the file's", countFlag)
    .option(
      "--seed <n>",
      "seed of the search, instead of the file's",
      numberFlag(z.int("it is not a whole number").nonnegative()),
    )
    .option("--models <names>", "only these models, with commas", listFlag)
    .option("--max <epochs>", "at most this many epochs a trial, instead of the file's", countFlag)
    .option(
      "--budget <tokens>",
      "the most this sweep may spend, instead of the file's",
      numberFlag(z.number().positive("it must be above 0")),
    )
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
    .action(
      action(terminal, (file: string, options: Options) =>
        withMesh(terminal, options, (connected) => runSweep(terminal, connected, file, options)),
      ),
    );
}

async function runSweep(
  terminal: Terminal,
  connected: Connected,
  file: string,
  options: Options,
): Promise<ExitCode> {
  const { prepareSweep } = await import("../run/prepare-sweep.ts");
  const { client, bus, home } = connected;
  const progress = (line: string) => terminal.note(line);
  const spec = await prepareSweep({
    file,
    overrides: overridesOf(options),
    environment: terminal.environment,
    bus,
    mesh: home.mesh,
    progress,
  });
  if (!spec.ok) {
    // Its lines name the file themselves, as compilers do, so that editors can jump there.
    if (!spec.refusal.message.startsWith(`${file}:`)) return printRefusal(terminal, options, spec.refusal);
    if (options.json === true) terminal.out(JSON.stringify({ refusal: spec.refusal }, null, 2));
    terminal.note(spec.refusal.message);
    return exitCode.failed;
  }
  const submitted = await client.command("sweep-run", { spec: spec.value });
  if (!submitted.ok) return printRefusal(terminal, options, submitted.refusal);
  const { sweep } = submitted.value;
  if (options.detach === true) return printAnswer(terminal, options, accept({ sweep }), () => sweep);
  return followToEnd(terminal, connected, sweep, options);
}

/**
 * Follows a submitted sweep, prints its result, and says by the exit status how it ended. On ctrl-c it
 * lets the sweep go on, unless `mayLeave` is false because the caller ends the mesh with itself.
 */
export async function followToEnd(
  terminal: Terminal,
  { client }: Connected,
  sweep: string,
  options: MeshOptions,
  mayLeave = true,
): Promise<ExitCode> {
  const { followSweep } = await import("../run/follow-sweep.ts");
  const { sweepResult } = await import("../run/sweep-result.ts");
  const leave = (): never => {
    terminal.note(
      `\n${sweep} goes on without this command; \`trialmesh sweep show ${sweep}\` shows it, \`trialmesh sweep stop ${sweep}\` ends it`,
    );
    process.exit(exitCode.interrupted);
  };
  if (mayLeave) process.once("SIGINT", leave);
  try {
    const followed = await followSweep(client, sweep, (line) => terminal.note(line));
    if (!followed.ok) return printRefusal(terminal, options, followed.refusal);
    const { view, end } = followed.value;
    if (options.json === true) terminal.out(JSON.stringify(view, null, 2));
    else terminal.out(`\n${sweepResult(view)}`);
    if (end === "waits-for-budget") {
      const { requester } = view.summary;
      terminal.note(
        `trialmesh: ${sweep} waits for tokens; \`trialmesh budget grant ${requester} TOKENS\` lets it go on, \`trialmesh budget show ${requester}\` shows the account`,
      );
      return exitCode.waitsForBudget;
    }
    if (end === "done" && view.summary.best === null) {
      const why = view.trials.find((trial) => trial.failure !== null);
      terminal.note(
        `trialmesh: no trial of ${sweep} has a result${why === undefined ? "" : `; ${why.trial}: ${why.failure}`}`,
      );
      return exitCode.failed;
    }
    return end === "done" ? exitCode.ok : exitCode.failed;
  } finally {
    process.off("SIGINT", leave);
  }
}

function overridesOf(options: Options): SweepOverrides {
  const { trials, seed, models, max, budget } = options;
  return {
    ...(trials === undefined ? {} : { trials }),
    ...(seed === undefined ? {} : { seed }),
    ...(models === undefined ? {} : { models }),
    ...(max === undefined ? {} : { max }),
    ...(budget === undefined ? {} : { budgetTokens: budget }),
  };
}
