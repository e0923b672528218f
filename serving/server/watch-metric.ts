/** SERVE-19, SERVE-20. What `/metrics` says of drift and of expectations, under names of our own: nobody else's dashboards have any. */
import type { Lane } from "../batch/lane.ts";
import { escapedLabel, versionLabels } from "./metric-label.ts";

type Sample = readonly [labels: string, value: number];

export function watchLines(lanes: readonly Lane[]): readonly string[] {
  const drifts = lanes.flatMap((lane) =>
    (lane.watch?.drift?.columns ?? []).map((column) => {
      const labels = `${versionLabels(lane)},column="${escapedLabel(column.column)}"`;
      return { labels, column };
    }),
  );
  const expected = lanes.flatMap((lane) =>
    (lane.watch?.expectations?.states ?? []).map((state, at) => {
      const labels = `${versionLabels(lane)},expectation="${at + 1} ${escapedLabel(state.title)}"`;
      return { labels, state };
    }),
  );
  return [
    ...metric(
      "trialmesh_serving_drift",
      "gauge",
      "How far a column lies from the training data, by the test that decides",
      drifts.map(({ column, labels }): Sample => [labels, column.statistic]),
    ),
    ...metric(
      "trialmesh_serving_drifted",
      "gauge",
      "1 where that is drift",
      drifts.map(({ column, labels }): Sample => [labels, Number(column.drifted)]),
    ),
    ...metric(
      "trialmesh_serving_stability_index",
      "gauge",
      "The same by the population stability index",
      drifts.map(({ column, labels }): Sample => [labels, column.stability.index]),
    ),
    ...metric(
      "trialmesh_serving_expectation_rows_total",
      "counter",
      "Rows that were looked at for an expectation",
      expected.map(({ labels, state }): Sample => [labels, state.rows]),
    ),
    ...metric(
      "trialmesh_serving_expectation_failures_total",
      "counter",
      "Those of them that are not as expected",
      expected.map(({ labels, state }): Sample => [labels, state.failing]),
    ),
    ...metric(
      "trialmesh_serving_expectation_breached",
      "gauge",
      "1 where more of the last rows fail than may",
      expected.map(({ labels, state }): Sample => [labels, Number(state.isBreached)]),
    ),
  ];
}

function metric(name: string, type: string, about: string, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  return [
    `# HELP ${name} ${about}.`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}{${labels}} ${value}`),
  ];
}
