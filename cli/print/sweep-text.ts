/** A sweep and its trials as text. */
import { stoppingText } from "../../protocol/stopping.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { SweepSummary, SweepView, TrialView } from "../../protocol/view.ts";
import { plural } from "../../protocol/plural.ts";
import { formatDuration } from "../../text/duration.ts";
import { formatMetric, formatTime } from "../../text/figure.ts";
import { paramsFormat } from "../../text/shown-parameter.ts";
import { finishedOf, registeredText } from "../../text/sweep-phrase.ts";
import { fields, table } from "../../text/table.ts";
import { labelFields, removedText, tagsColumn } from "./label-text.ts";

export function sweepsText(sweeps: readonly SweepSummary[]): string {
  return table(
    sweeps,
    [
      { head: "SWEEP", cell: (sweep) => sweep.sweep },
      { head: "NAME", cell: (sweep) => sweep.name },
      { head: "BY", cell: (sweep) => sweep.requester },
      {
        head: "STATE",
        cell: (sweep) => (sweep.removed === undefined ? sweep.state : `${sweep.state}, removed`),
      },
      { head: "DONE", cell: (sweep) => `${finishedOf(sweep)}/${sweep.total}`, right: true },
      { head: "RUNNING", cell: (sweep) => String(sweep.counts.running), right: true },
      { head: "BEST", cell: bestText },
      { head: "TOKENS", cell: (sweep) => formatTokens(sweep.spent), right: true },
      { head: "STARTED", cell: (sweep) => formatTime(sweep.submittedAt, Date.now()) },
      ...tagsColumn(sweeps),
    ],
    "no sweep yet; run one with `trialmesh sweep run examples/language-id.yaml`",
  );
}

function bestText(sweep: SweepSummary): string {
  return sweep.best === null
    ? "-"
    : `${sweep.metric} ${formatMetric(sweep.best.value)} (${sweep.best.model})`;
}

function stateText({ state, waiting }: SweepSummary): string {
  if (waiting === null) return state;
  // Whoever paused it is said with the word.
  return state === "paused" ? waiting : `${state}: ${waiting}`;
}

export function sweepText(view: SweepView): string {
  const { summary } = view;
  const { counts } = summary;
  const head = fields([
    ["sweep", `${summary.sweep} ${summary.name} by ${summary.requester}`],
    ["state", stateText(summary)],
    ["objective", `${summary.goal} ${summary.metric} of ${summary.task}`],
    [
      "dataset",
      view.dataset === null
        ? "none"
        : `${view.dataset.name} ${view.dataset.digest.slice(0, 12)} (${view.dataset.rows.train} train, ${view.dataset.rows.validation} validation, ${view.dataset.rows.test} test rows)`,
    ],
    [
      "search",
      `${view.search.method}, at most ${plural(summary.total, "trial")}, seed ${view.search.seed}, over ${view.models.join(", ")}`,
    ],
    ...(view.note === null ? [] : ([["found by", view.note]] as const)),
    ["stopping", stoppingText(view.stopping)],
    [
      "trials",
      `${counts.completed} completed, ${counts.stopped} stopped early, ${counts.failed} failed, ${counts.cancelled} cancelled, ${counts.running} running, ${counts.paused} paused, ${counts.queued} queued, ${counts.reused} from the record`,
    ],
    ...view.failures.map(({ count, reason }) => ["failed", `${plural(count, "trial")}: ${reason}`] as const),
    ["tokens", tokensText(summary)],
    [
      "best",
      summary.best === null
        ? "none yet"
        : `${summary.metric} ${formatMetric(summary.best.value)} by ${summary.best.model} (${summary.best.trial}, epoch ${summary.best.resource})`,
    ],
    ["registered", registeredText(summary)],
    ...(view.keep === undefined ? [] : [["keeps", keepText(view.keep)] as const]),
    ...labelFields(summary),
    ...(summary.removed === undefined ? [] : [["removed", removedText(summary.removed)] as const]),
  ]);
  return `${head}\n\n${trialsText(view.trials)}`;
}

/** What is not said the mesh says, for all sweeps. */
function keepText({ checkpoints, logsMs }: NonNullable<SweepView["keep"]>): string {
  const parts = [
    ...(checkpoints === undefined ? [] : [`the best ${plural(checkpoints, "checkpoint")}`]),
    ...(logsMs === undefined ? [] : [`logs for ${formatDuration(logsMs)}`]),
  ];
  return parts.length === 0 ? "what the mesh keeps of each sweep" : parts.join(", ");
}

export function tokensText(summary: SweepSummary): string {
  const parts = [`${formatTokens(summary.spent)} spent`];
  if (summary.pending > 0) parts.push(`${formatTokens(summary.pending)} held by running trials`);
  if (summary.cap !== null) parts.push(`at most ${formatTokens(summary.cap)}`);
  if (summary.savedByStopping > 0)
    parts.push(`${formatTokens(summary.savedByStopping)} saved by stopping early`);
  if (summary.savedByReuse > 0) parts.push(`${formatTokens(summary.savedByReuse)} saved by the record`);
  return parts.join(", ");
}

export function trialsText(trials: readonly TrialView[]): string {
  const params = paramsFormat(trials);
  return table(
    trials,
    [
      { head: "TRIAL", cell: (trial) => trial.trial },
      { head: "MODEL", cell: (trial) => trial.model },
      {
        head: "STATE",
        cell: (trial) =>
          trial.reusedFrom === null ? trial.state : `${trial.state} (from ${trial.reusedFrom})`,
      },
      { head: "EPOCHS", cell: (trial) => `${trial.resource}/${trial.target}`, right: true },
      { head: "VALUE", cell: (trial) => formatMetric(trial.value), right: true },
      { head: "TOKENS", cell: (trial) => formatTokens(trial.spent), right: true },
      {
        head: "AGENT",
        cell: (trial) => [...new Set(trial.attempts.map((attempt) => attempt.agent))].join(" ") || "-",
      },
      ...tagsColumn(trials),
      {
        head: "PARAMETERS",
        cell: (trial) => (trial.state === "stopped" ? null : trial.failure) ?? params(trial.params),
      },
    ],
    "no trial yet",
  );
}
