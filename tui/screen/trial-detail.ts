/** One trial: its metric as it comes in, parameters, attempts and where each ended. */
import type { SweepView, TrialView } from "../../protocol/view.ts";
import { lineChart } from "../../text/canvas/chart.ts";
import { answerTo } from "../model/mesh-data.ts";
import { curveWant } from "../model/list.ts";
import { pair } from "../part/screen-table.ts";
import { tokens, value } from "../../text/format.ts";
import { formatValue } from "../../text/shown-parameter.ts";
import { line, span, type Line } from "../../text/line.ts";
import { wrap } from "../../text/width.ts";
import { trialTones } from "./trial-table.ts";
import { agoOf, type View } from "../part/screen-view.ts";

const curveRowsMax = 12;
const curveRowsMin = 4;

export function trialDetail(
  view: View,
  sweep: SweepView,
  trial: TrialView,
  width: number,
  height: number,
): readonly Line[] {
  const { glyphs } = view;
  const facts: Line[] = [
    line(
      span(`${glyphs.trial[trial.state]} ${trial.state}`, trialTones[trial.state]),
      ` ${trial.model}, epoch ${trial.resource} of ${trial.target}, `,
      span(`${sweep.summary.metric} ${value(trial.value)}`, "strong"),
    ),
  ];
  if (trial.failure !== null) {
    facts.push(
      ...wrap(trial.failure, width)
        .slice(0, 4)
        .map((each) => line(span(each, "bad"))),
    );
  }
  if (trial.reusedFrom !== null) facts.push(pair("answered by", `the record of ${trial.reusedFrom}`, "good"));
  if (trial.tags !== undefined) facts.push(pair("tags", trial.tags.join(" ")));
  if (trial.notes !== undefined)
    facts.push(
      ...wrap(`note: ${trial.notes}`, width)
        .slice(0, 2)
        .map((each) => line(span(each))),
    );
  const rest = [
    ...parameterLines(trial),
    ...otherMetrics(trial, sweep.summary.metric),
    ...attemptLines(view, trial),
  ];
  const chartRoom = Math.min(
    curveRowsMax,
    Math.max(height - facts.length - rest.length, Math.floor(height / 2)),
  );
  const curve = chartRoom < curveRowsMin ? [] : curveLines(view, sweep, trial, width, chartRoom);
  return [...facts, ...curve, ...rest].slice(0, Math.max(0, height));
}

/** The newest point of each epoch: an attempt that was taken over repeats some. */
function curveLines(
  view: View,
  sweep: SweepView,
  trial: TrialView,
  width: number,
  height: number,
): readonly Line[] {
  const { metric } = sweep.summary;
  const newest = new Map<number, { fence: number; y: number }>();
  for (const point of answerTo(view.data, curveWant(trial.trial))?.points ?? []) {
    const y = point.metrics[metric];
    const known = newest.get(point.resource);
    if (y !== undefined && (known === undefined || known.fence <= point.fence)) {
      newest.set(point.resource, { fence: point.fence, y });
    }
  }
  const points = [...newest].map(([x, { y }]) => ({ x, y })).toSorted((a, b) => a.x - b.x);
  const rows = lineChart(
    points,
    { width, height: height - 1, xMax: trial.target, xLabel: (x) => `epoch ${Math.round(x)}` },
    view.glyphs,
  );
  if (rows.length === 0) return [line(span(`${metric}: no point of its curve yet`, "dim"))];
  return [line(span(metric, "title")), ...rows.map((each) => line(span(each, "accent")))];
}

function parameterLines(trial: TrialView): readonly Line[] {
  return Object.entries(trial.params)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => pair(name, formatValue(each), "plain", 16));
}

function otherMetrics(trial: TrialView, metric: string): readonly Line[] {
  return Object.entries(trial.metrics)
    .filter(([name]) => name !== metric)
    .map(([name, each]) => pair(name, value(each), "dim", 16));
}

function attemptLines(view: View, trial: TrialView): readonly Line[] {
  return trial.attempts
    .toReversed()
    .map((each) =>
      line(
        span(`#${each.fence} `, "dim"),
        span(`${each.agent} (${each.backend}) epochs ${each.fromResource}-${each.target}, `),
        span(each.ending ?? each.state, each.state === "running" ? "good" : "plain"),
        span(`, ${agoOf(view, each.startedAt)}, ${tokens(each.posted)} tokens`, "dim"),
      ),
    );
}
