/** `trialmesh sweep estimate`: what a sweep file would cost, from what was spent on its kind before. Launches nothing. */
import type { Command } from "commander";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { estimateText } from "../print/estimate-text.ts";
import { printProblems } from "../shell/problems.ts";
import { overridesOf, withOverrides, type OverrideOptions } from "../shell/override-option.ts";
import { datasetRefReader, planSpec, type ReadDatasetRef } from "../../client/sweep/plan-spec.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";

type Options = MeshOptions & OverrideOptions;
interface Estimated {
  readonly name: string;
  readonly beyondBudget: boolean;
  readonly estimate: EstimateView;
}

export function sweepEstimateCommand(terminal: Terminal): Command {
  const command = asking("estimate", "say what a sweep file would cost, without launching it").argument(
    "<file>",
    "the sweep file (YAML)",
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
  const { planSweep } = await import("../../client/sweep/prepare-sweep.ts");
  const read = await planSweep(file, overridesOf(options), terminal.environment);
  if (!read.ok) return printRefusal(terminal, options, read.refusal);
  if (!read.value.ok) return printProblems(terminal, options, file, read.value.problems);
  const specs = await specsOf(read.value.plans, datasetRefReader(client, terminal.environment));
  if (!specs.ok) return printRefusal(terminal, options, specs.refusal);
  const estimates: Estimated[] = [];
  for (const spec of specs.value) {
    const estimate = await client.query("estimate", { requester: client.who, spec });
    if (!estimate.ok) return printRefusal(terminal, options, estimate.refusal);
    estimates.push({ name: spec.name, beyondBudget: spec.beyondBudget, estimate: estimate.value });
  }
  printAnswer(terminal, options, accept({ estimates }), () =>
    estimates.map(({ estimate, name }) => `${name}: ${estimateText(estimate)}`).join("\n\n\n"),
  );
  const tooDear = estimates.filter(({ beyondBudget, estimate }) => !estimate.fits && !beyondBudget);
  if (tooDear.length === 0) return exitCode.ok;
  const names = tooDear.map(({ name }) => name).join(", ");
  terminal.note(
    `trialmesh: ${names} would be refused: even the least it costs is more than there is; ask for a grant, make it smaller, or launch it with --beyond-budget`,
  );
  return exitCode.failed;
}

/** The sweeps of the file, one for each of its datasets. */
async function specsOf(
  plans: readonly SweepPlan[],
  readRef: ReadDatasetRef,
): Promise<Outcome<readonly SweepSpec[]>> {
  const specs: SweepSpec[] = [];
  for (const plan of plans) {
    const spec = await planSpec(plan, readRef);
    if (!spec.ok) return spec;
    specs.push(spec.value);
  }
  return accept(specs);
}
