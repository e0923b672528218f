/** `trialmesh sweep estimate`: what a sweep file would cost, from what was spent on its kind before. Launches nothing. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples, fileArgument } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { estimateText } from "../print/estimate-text.ts";
import { printProblems } from "../shell/problems.ts";
import { overridesOf, withOverrides, type OverrideOptions } from "../shell/override-option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";

type Options = MeshOptions & OverrideOptions;

export function sweepEstimateCommand(terminal: Terminal): Command {
  const command = asking("estimate", "say what a sweep file would cost, without launching it").argument(
    "<file>",
    "the sweep file (YAML)",
    fileArgument,
  );
  return withOverrides(command)
    .addHelpText(
      "after",
      `${examples("trialmesh sweep estimate examples/language-id.yaml", "trialmesh sweep estimate my.yaml --trials 8 --as team-a")}\nExits 0 when it fits what there is to spend, 1 when even the least of it does not.\n`,
    )
    .action(
      action(terminal, (file: string, options: Options) =>
        withMesh(terminal, options, (connected) => estimateFile(terminal, connected, file, options)),
      ),
    );
}

async function estimateFile(
  terminal: Terminal,
  { client }: Connected,
  file: string,
  options: Options,
): Promise<ExitCode> {
  // Reading a sweep file needs the models, which other commands need not wait for.
  const { planSweep } = await import("../../client/sweep/plan-sweep.ts");
  const read = await planSweep(file, overridesOf(options), terminal.environment);
  if (!read.ok) return printRefusal(terminal, options, read.refusal);
  if (!read.value.ok) return printProblems(terminal, options, file, read.value.problems);
  const { estimatePlans, tooDear } = await import("../../client/sweep/estimate-plans.ts");
  const estimates = await estimatePlans(client, read.value.plans, terminal.environment);
  if (!estimates.ok) return printRefusal(terminal, options, estimates.refusal);
  printAnswer(terminal, options, accept({ estimates: estimates.value }), (value) =>
    value.estimates.map(({ estimate, name }) => `${name}: ${estimateText(estimate)}`).join("\n\n\n"),
  );
  const dear = tooDear(estimates.value);
  if (dear.length === 0) return exitCode.ok;
  const names = dear.map(({ name }) => name).join(", ");
  terminal.note(
    `trialmesh: ${names} would be refused: even the least it costs is more than there is; ask for a grant, make it smaller, or launch it with --beyond-budget`,
  );
  return exitCode.failed;
}
