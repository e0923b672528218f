/** Screen 2: the sweeps and how far they are; the selected one's best-so-far curve, trials, and live metric. */
import { percentDone } from "../../text/figure.ts";
import type { SweepSummary, SweepView } from "../../protocol/view.ts";
import { bar } from "../../text/canvas/bar.ts";
import { lineChart } from "../../text/canvas/chart.ts";
import { refusalTo } from "../model/mesh-data.ts";
import { selectedSweep, selectedTrial, sweepOf, sweepsOf, sweepsWant, sweepWant } from "../model/list.ts";
import { arrange } from "../part/arrange.ts";
import { fitHeight, heading } from "../part/pane.ts";
import { pair, type TableColumn } from "../part/screen-table.ts";
import { short, tokens, value } from "../../text/format.ts";
import type { Glyphs } from "../../text/glyph.ts";
import { blank, line, span, type Line, type Tone } from "../../text/line.ts";
import { wrap } from "../../text/width.ts";
import { listPane } from "./list-pane.ts";
import { trialDetail } from "./trial-detail.ts";
import { trialTable } from "./trial-table.ts";
import { agoOf, isTwoPaned, stackedFrom, threeFrom, waitingFor, type View } from "../part/screen-view.ts";
import { sweepWhyLines } from "./why.ts";

const chartRowsMax = 10;
const chartRowsMin = 4;
const trialRowsMin = 6;
const metricRows = 8;

export function sweepsScreen(view: View): readonly Line[] {
  const sweeps = sweepsOf(view.ui, view.data);
  const summary = selectedSweep(view.ui, view.data);
  const sweep = sweepOf(view.ui, view.data);
  const why = view.ui.sweepTab === "why" && summary !== null;
  // In a narrow terminal the reasons stand where the list was.
  const arranged = why && view.width < stackedFrom ? { ...view, ui: { ...view.ui, focus: 1 } } : view;
  return arrange(arranged, {
    list: (width, height) => {
      if (!isTwoPaned(view)) return sweepList(view, sweeps, width, height);
      const rows = Math.min(sweeps.length + 2, Math.ceil(height / 2));
      const list = fitHeight(sweepList(view, sweeps, width, rows), rows + 1);
      return [...list, ...trialPane(view, sweep, width, height - list.length)];
    },
    detail: (width, height) =>
      why ? sweepReasons(view, summary, width, height) : sweepDetail(view, summary, sweep, width, height),
    third: (width, height) => trialPane(view, sweep, width, height),
    listShare: view.width >= threeFrom ? 0.48 : 0.45,
    listRows: sweeps.length + 2,
  });
}

export function finishedOf(summary: SweepSummary): number {
  const { counts } = summary;
  return counts.completed + counts.stopped + counts.failed + counts.cancelled;
}

const sweepTones: Readonly<Record<SweepSummary["state"], Tone>> = {
  running: "good",
  waiting: "warn",
  paused: "warn",
  done: "plain",
  stopped: "dim",
};

function sweepList(
  view: View,
  sweeps: readonly SweepSummary[],
  width: number,
  height: number,
): readonly Line[] {
  const { glyphs, ui } = view;
  return listPane(view, {
    title: "Sweeps",
    rows: sweeps,
    idOf: (sweep) => sweep.sweep,
    selection: ui.selections.sweeps,
    known: view.data.answers.sweeps.size > 0,
    want: sweepsWant,
    empty: ui.filters.sweeps === "" ? "no sweep yet: n launches one" : "no sweep matches the filter",
    columns: columns(glyphs),
    width,
    height,
  });
}

function columns(glyphs: Glyphs): readonly TableColumn<SweepSummary>[] {
  return [
    { title: "SWEEP", width: 5, rank: 0, text: (s) => s.sweep },
    {
      title: "STATE",
      width: 9,
      rank: 0,
      text: (s) => `${glyphs.sweep[s.state]} ${s.state}`,
      tone: (s) => sweepTones[s.state],
    },
    {
      title: "PROGRESS",
      width: 8,
      grow: 12,
      rank: 3,
      text: (s, width) => bar(finishedOf(s), s.total, width, glyphs),
      tone: () => "accent",
    },
    { title: "DONE", width: 7, align: "right", rank: 1, text: (s) => `${finishedOf(s)}/${s.total}` },
    { title: "BEST", width: 6, align: "right", rank: 2, text: (s) => value(s.best?.value ?? null) },
    { title: "NAME", width: 8, grow: 23, rank: 0, text: (s) => s.name },
    { title: "SPENT", width: 6, align: "right", rank: 5, text: (s) => tokens(s.spent) },
    { title: "BY", width: 8, grow: 6, rank: 6, text: (s) => s.requester },
  ];
}

function sweepDetail(
  view: View,
  summary: SweepSummary | null,
  sweep: SweepView | null,
  width: number,
  height: number,
): readonly Line[] {
  const { glyphs, ui } = view;
  if (summary === null) return [];
  const title = heading(`${summary.sweep} ${summary.name}`, width, false, glyphs);
  // In a low terminal the rows one moves in come before the facts.
  const facts = sweepFacts(view, summary, width).slice(0, Math.max(2, height - 1 - trialRowsMin));
  if (sweep === null) {
    return [title, ...facts, waitingFor(view, "trials", refusalTo(view.data, sweepWant(summary.sweep)))];
  }
  const left = height - 1 - facts.length;
  const elsewhere = isTwoPaned(view) || (view.width >= threeFrom && !ui.zoomed);
  const inTrials = ui.focus === 1;
  const metric = elsewhere || !inTrials || left < trialRowsMin + metricRows ? 0 : metricRows;
  const wantsChart = metric === 0 && left >= trialRowsMin + chartRowsMin;
  const chartRows = wantsChart ? Math.min(chartRowsMax, left - trialRowsMin) : 0;
  const chart = chartRows === 0 ? [] : bestChart(view, sweep, width, chartRows);
  const trialRows = Math.max(0, left - chart.length - metric);
  return [
    title,
    ...facts,
    ...chart,
    ...trialTable(view, { width, height: trialRows, focused: inTrials }),
    ...(metric === 0 ? [] : trialPane(view, sweep, width, metric)),
  ];
}

function sweepReasons(view: View, { sweep }: SweepSummary, width: number, height: number): readonly Line[] {
  return [
    heading(`Why ${sweep} does not get on`, width, false, view.glyphs),
    ...sweepWhyLines(view, sweep, width, height - 1),
  ];
}

function sweepFacts(view: View, summary: SweepSummary, width: number): readonly Line[] {
  const { glyphs } = view;
  const { counts, best } = summary;
  const states = (["running", "queued", "paused", "completed", "stopped", "failed", "cancelled"] as const)
    .filter((state) => counts[state] > 0)
    .map((state) => `${glyphs.trial[state]} ${counts[state]} ${state}`);
  const done = finishedOf(summary);
  const lines: Line[] = [
    line(
      span(bar(done, summary.total, Math.max(4, Math.min(30, width - 24)), glyphs), "accent"),
      ` ${percentDone(done, summary.total)} of ${summary.total} trials`,
    ),
    line(span(states.join("  "))),
    line(
      span("best        ", "dim"),
      best === null
        ? span("none yet")
        : span(
            `${summary.metric} ${value(best.value)} by ${best.trial} ${best.model} at epoch ${best.resource}`,
            "strong",
          ),
    ),
    pair(
      "tokens",
      `${tokens(summary.spent)} spent${summary.cap === null ? "" : ` of ${tokens(summary.cap)}`}, ${tokens(summary.pending)} reserved`,
    ),
    pair(
      "saved",
      `${tokens(summary.savedByStopping)} by stopping, ${tokens(summary.savedByReuse)} by reuse (${short(counts.reused)} trials)`,
    ),
  ];
  if (summary.waiting !== null) {
    const text = wrap(
      summary.state === "paused" ? summary.waiting : `waiting: ${summary.waiting}`,
      width,
    ).slice(0, 3);
    lines.push(...text.map((each) => line(span(each, "warn"))));
  }
  if (summary.registered !== null) {
    const { model, version, alias } = summary.registered;
    lines.push(pair("registered", `${model}@${version}${alias === null ? "" : ` as ${alias}`}`, "good"));
  }
  if (summary.tags !== undefined) lines.push(pair("tags", summary.tags.join(" ")));
  if (summary.notes !== undefined)
    lines.push(
      ...wrap(`note: ${summary.notes}`, width)
        .slice(0, 2)
        .map((each) => line(span(each))),
    );
  const ended = summary.finishedAt === null ? "" : `, ended ${agoOf(view, summary.finishedAt)}`;
  lines.push(pair("submitted", `${agoOf(view, summary.submittedAt)} by ${summary.requester}${ended}`, "dim"));
  return lines;
}

function bestChart(view: View, sweep: SweepView, width: number, height: number): readonly Line[] {
  const points = sweep.bestSoFar.map((each) => ({ x: each.trials, y: each.value }));
  const rows = lineChart(
    points,
    {
      width,
      height: height - 1,
      step: true,
      xMax: Math.max(1, finishedOf(sweep.summary)),
      xLabel: (x) => `trial ${Math.round(x)}`,
    },
    view.glyphs,
  );
  if (rows.length === 0) return [];
  const title = line(span(`best ${sweep.summary.metric} so far`, "title"));
  return [title, ...rows.map((each) => line(span(each, "accent")))];
}

function trialPane(view: View, sweep: SweepView | null, width: number, height: number): readonly Line[] {
  const trial = selectedTrial(view.ui, view.data);
  if (sweep === null || trial === null || height <= 0) return [blank];
  return [
    heading(`Trial ${trial.trial}`, width, false, view.glyphs),
    ...trialDetail(view, sweep, trial, width, height - 1),
  ];
}
