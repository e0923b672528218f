/** A trial and its points in the shapes of an export: rows of the two tables, or one object with the history in it. */
import { milliTokensPerToken } from "../../protocol/token.ts";
import { text, whole, type Cell, type ListColumn } from "../list/list-column.ts";
import { trialColumns } from "../list/trial-column.ts";
import type { Plain, TableColumn } from "./export-table.ts";
import type { ExportedTrial } from "./exported-trial.ts";

/** Names of what people named stand apart from ours: a parameter may be called `state`. */
export const parameterPrefix = "params.";
export const metricPrefix = "metrics.";

/** What is the same for every trial of a sweep, and what is known of its history. */
const aroundColumns: readonly ListColumn<ExportedTrial>[] = [
  text("sweep_name", ({ head }) => head.summary.name),
  text("sweep_tag", ({ head }) => head.summary.tags ?? null),
  text("experiment", ({ head }) => head.summary.experiment),
  text("objective", ({ head }) => head.summary.metric),
  text("goal", ({ head }) => head.summary.goal),
  text("dataset", ({ head }) => head.dataset?.name ?? null),
  text("dataset_digest", ({ head }) => head.dataset?.digest ?? null),
  text("search", ({ head }) => head.search.method),
  whole("search_seed", ({ head }) => head.search.seed),
  text("history", ({ history }) => history),
  whole("points", ({ points }) => points.length),
];

export const trialsTable: readonly TableColumn[] = [...trialColumns, ...aroundColumns].map(
  ({ name, type }) => ({
    name,
    type,
  }),
);

export const historyTable: readonly TableColumn[] = [
  { name: "sweep", type: "text" },
  { name: "trial", type: "text" },
  { name: "attempt", type: "whole" },
  { name: "epoch", type: "whole" },
  { name: "metric", type: "text" },
  { name: "value", type: "number" },
  { name: "at", type: "time" },
  { name: "source_trial", type: "text" },
];

export function trialRow(exported: ExportedTrial): readonly Plain[] {
  return [
    ...trialColumns.map(({ cell }) => plain(cell(exported.trial))),
    ...aroundColumns.map(({ cell }) => plain(cell(exported))),
  ];
}

/** Parameters and metrics by the names of their columns. */
export function* namedCells({ trial }: ExportedTrial): Generator<readonly [string, Plain]> {
  for (const [name, value] of Object.entries(trial.params)) yield [`${parameterPrefix}${name}`, value];
  for (const [name, value] of Object.entries(trial.metrics)) yield [`${metricPrefix}${name}`, value];
}

export function* historyRows({ points, source, trial }: ExportedTrial): Generator<readonly Plain[]> {
  for (const { at, fence, metrics, resource } of points)
    for (const [name, value] of Object.entries(metrics))
      yield [trial.sweep, trial.trial, fence, resource, name, value, at, source];
}

/** As JSON: moments as ISO 8601 in UTC, parameters, metrics and points by their own names. */
export function trialObject(exported: ExportedTrial): object {
  const { points, source, trial } = exported;
  const own = trialColumns.map(({ cell, name, type }) => [name, jsonCell(cell(trial), type)] as const);
  const around = aroundColumns
    .filter(({ name }) => name !== "history" && name !== "points")
    .map(({ cell, name, type }) => [name, jsonCell(cell(exported), type)] as const);
  const cells: Record<string, unknown> = Object.fromEntries([...own, ...around]);
  return {
    ...cells,
    params: trial.params,
    metrics: trial.metrics,
    rungs: trial.rungs.map(({ resource, value }) => ({ epoch: resource, value })),
    attempts: trial.attempts.map((attempt) => ({
      attempt: attempt.fence,
      agent: attempt.agent,
      backend: attempt.backend,
      from_epoch: attempt.fromResource,
      target: attempt.target,
      state: attempt.ending ?? attempt.state,
      tokens: attempt.posted / milliTokensPerToken,
      started_at: moment(attempt.startedAt),
      ended_at: moment(attempt.endedAt),
    })),
    history: {
      state: exported.history,
      source_trial: source,
      points: points.map(({ at, fence, metrics, resource }) => ({
        attempt: fence,
        epoch: resource,
        at: moment(at),
        metrics,
      })),
    },
  };
}

function plain(cell: Cell): Plain {
  return typeof cell === "object" && cell !== null ? cell.join(" ") : cell;
}

function jsonCell(cell: Cell, type: TableColumn["type"]): unknown {
  return type === "time" && typeof cell === "number" ? moment(cell) : cell;
}

function moment(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
