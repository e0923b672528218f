/** `trialmesh trial show`: one trial, its parameters, its attempts and what each cost. */
import type { Command } from "commander";
import { formatTokens } from "../../protocol/token.ts";
import type { TrialView } from "../../protocol/view.ts";
import { action, asking, trialArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatMetric, formatMetrics, formatTime } from "../../text/figure.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import { labelFields } from "../print/label-text.ts";
import { fields, table } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function trialShowCommand(terminal: Terminal): Command {
  return asking("show", "show a trial: parameters, results, every attempt with its agent and cost")
    .argument("<trial>", "id of the trial, such as s7-12", trialArgument)
    .action(
      action(terminal, (trial: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("trial", { trial }), trialText),
        ),
      ),
    );
}

/** The epoch it is of, where training went on after it. */
function valueText({ best, resource, value }: TrialView): string {
  if (value === null || best === undefined) return formatMetric(value);
  const is = best.resource === resource ? "" : `, its best of ${resource}`;
  return `${formatMetric(value)} at epoch ${best.resource}${is}`;
}

function stateText({ failure, state }: TrialView): string {
  if (failure === null) return state;
  return failure.startsWith(`${state} `) ? failure : `${state}: ${failure}`;
}

/** What it has of other trials: all of its result, or what it began from. */
function recordText({ parent, reusedFrom }: TrialView): string {
  if (reusedFrom !== null) return reusedFrom;
  return parent === null ? "no" : `no, but it began from the checkpoint of ${parent}`;
}

function artifactText({ artifact, collected, trial }: TrialView): string {
  if (artifact === null) return "none yet";
  if (collected !== true) return artifact;
  return `${artifact}, no longer kept: ${trial} is not among the best of its sweep; the sweep run again with \`register\` trains anew what it needs, and \`trialmesh gc policy --checkpoints N\` keeps more from now on`;
}

export function trialText(trial: TrialView): string {
  const head = fields([
    ["trial", `${trial.trial} of ${trial.sweep} by ${trial.requester}`],
    ["model", trial.model],
    ["parameters", formatParams(trial.params) || "none"],
    ["state", stateText(trial)],
    ["epochs", `${trial.resource} of ${trial.target}`],
    ["value", valueText(trial)],
    ["metrics", formatMetrics(trial.metrics) || "none yet"],
    [
      "rungs",
      trial.rungs.map((rung) => `${formatMetric(rung.value)} at ${rung.resource}`).join(", ") || "none yet",
    ],
    ["from record", recordText(trial)],
    ["artifact", artifactText(trial)],
    ["tokens", formatTokens(trial.spent)],
    ...labelFields(trial),
  ]);
  const attempts = table(
    trial.attempts,
    [
      { head: "ATTEMPT", cell: (attempt) => String(attempt.fence), right: true },
      { head: "AGENT", cell: (attempt) => attempt.agent },
      { head: "BACKEND", cell: (attempt) => attempt.backend },
      { head: "EPOCHS", cell: (attempt) => `${attempt.fromResource} to ${attempt.target}` },
      { head: "STARTED", cell: (attempt) => formatTime(attempt.startedAt, Date.now()) },
      {
        head: "STATE",
        cell: ({ approximate, ending, state }) =>
          `${ending ?? state}${approximate ? " (approximate: it went on from another backend's checkpoint)" : ""}`,
      },
      { head: "TOKENS", cell: (attempt) => formatTokens(attempt.posted), right: true },
    ],
    "no attempt",
  );
  return `${head}\n\n${attempts}`;
}
