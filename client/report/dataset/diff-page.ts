/** A diff of two datasets as one HTML page: verdicts, drift against its thresholds, each column side by side, rows that changed. */
import type { ColumnDrift } from "../../../data/drift/column-drift.ts";
import type { DatasetDiff, DiffSide } from "../../../data/drift/diff.ts";
import { driftFigure } from "../../../data/drift/verdict.ts";
import { finePercent, shortDigest, percentOf } from "../../../text/figure.ts";
import type { PageParts } from "../chart-library.ts";
import { lyingBars, standingBars } from "./bar-chart.ts";
import { htmlTable, remarkList } from "./html-table.ts";
import { pageShell, type Section, type SizedChart } from "./page-shell.ts";

const columnsMost = 60;

export function diffPage(diff: DatasetDiff, parts: PageParts): string {
  const [a, b] = sideNames(diff);
  return pageShell(
    {
      title: `${a} and ${b}`,
      subtitle: `how ${b} differs from ${a}, made by trialmesh`,
      facts: factsOf(diff),
      sections: [
        { kind: "html", title: "Verdicts", html: remarkList(diff.verdicts, "The two are alike.") },
        { kind: "chart", chart: driftChart(diff) },
        { kind: "chart", chart: stabilityChart(diff.columns) },
        ...labelSection(diff),
        columnTable(diff.columns),
        ...shareSection(diff),
        ...wordSection(diff),
        ...rowSections(diff),
      ],
    },
    parts,
  );
}

/** Told apart even where both have one name. */
function sideNames({ a, b }: DatasetDiff): readonly [string, string] {
  const name = ({ name: own, split }: DiffSide) => (split === null ? own : `${own} ${split}`);
  return name(a) === name(b) ? [`${name(a)} (before)`, `${name(b)} (after)`] : [name(a), name(b)];
}

function factsOf(diff: DatasetDiff): readonly (readonly [string, string])[] {
  const side = ({ digest, rows, splits }: DiffSide) =>
    `${rows} rows (${splits.map(({ rows: count, split }) => `${split} ${count}`).join(", ")})${digest === null ? "" : `, version ${shortDigest(digest)}`}`;
  const [a, b] = sideNames(diff);
  const { rows, text } = diff;
  return [
    [a, side(diff.a)],
    [b, side(diff.b)],
    ["Drift", diff.drifted ? "yes" : "no"],
    ["Rows in both", String(rows.common)],
    ["Rows that came", String(rows.added.rows)],
    ["Rows that went", String(rows.removed.rows)],
    ["Rows under another label", String(rows.relabelled.rows)],
    ...(text === null || text.auc === null
      ? []
      : [["Telling the texts apart", `AUC ${text.auc.toFixed(3)}, drift above ${text.threshold}`] as const]),
  ];
}

/** Figures of different tests on one scale: 1 is the threshold. A p-value counts by its logarithm. */
export function driftStrength({ pValue, statistic, test, threshold }: ColumnDrift): number {
  if (test === "none") return 0;
  const strength =
    pValue === null ? statistic / threshold : Math.log(Math.max(pValue, 1e-300)) / Math.log(threshold);
  return Number(strength.toPrecision(4));
}

function driftChart({ columns, text }: DatasetDiff): SizedChart {
  const drawn = columns.slice(0, columnsMost);
  const auc = text?.auc ?? null;
  const ofText =
    auc === null || text === null
      ? []
      : [{ name: "text (AUC)", value: Math.max(0, (auc - 0.5) / (text.threshold - 0.5)) }];
  const bars = [...ofText, ...drawn.map((column) => ({ name: column.column, value: driftStrength(column) }))];
  return lyingBars({
    id: "drift",
    title: "Drift",
    about:
      "How far each column has moved, as a multiple of the threshold of its test: what reaches the line at 1 has drifted. The table below names test and figure.",
    names: bars.map(({ name }) => name),
    series: [{ name: "times the threshold", values: bars.map(({ value }) => Number(value.toPrecision(4))) }],
    lines: [{ at: 1, name: "drift" }],
  });
}

function stabilityChart(columns: readonly ColumnDrift[]): SizedChart {
  const drawn = columns.slice(0, columnsMost);
  return lyingBars({
    id: "stability",
    title: "Stability index",
    about:
      "The population stability index over tenths of the reference, or over categories: above 0.1 something has moved, above 0.2 much has.",
    names: drawn.map(({ column }) => column),
    series: [{ name: "index", values: drawn.map(({ stability }) => Number(stability.index.toPrecision(4))) }],
    lines: [
      { at: 0.1, name: "0.1" },
      { at: 0.2, name: "0.2" },
    ],
  });
}

function labelSection(diff: DatasetDiff): readonly Section[] {
  if (diff.labels.length === 0) return [];
  const [a, b] = sideNames(diff);
  const sum = (side: "a" | "b") => diff.labels.reduce((total, label) => total + label[side], 0);
  const [totalA, totalB] = [sum("a"), sum("b")];
  const chart = lyingBars({
    id: "labels",
    title: "Labels",
    about: "The share of each label on either side.",
    names: diff.labels.map(({ label }) => label),
    unit: " %",
    series: [
      { name: a, values: diff.labels.map((label) => percentOf(label.a, totalA)) },
      { name: b, values: diff.labels.map((label) => percentOf(label.b, totalB)) },
    ],
  });
  return [{ kind: "chart", chart }];
}

function columnTable(columns: readonly ColumnDrift[]): Section {
  const number = (value: number | null) => (value === null ? "-" : String(Number(value.toPrecision(4))));
  const html = htmlTable("Every column that stands on both sides", columns, [
    { head: "Column", cell: ({ column }) => column },
    { head: "Kind", cell: ({ kind }) => kind },
    { head: "Drifted", cell: ({ drifted }) => (drifted ? "yes" : "no") },
    { head: "By", kind: "text", cell: driftFigure },
    {
      head: "Stability",
      kind: "number",
      cell: ({ stability }) => `${number(stability.index)} (${stability.verdict})`,
    },
    { head: "Mean before", kind: "number", cell: ({ means }) => number(means.a) },
    { head: "Mean after", kind: "number", cell: ({ means }) => number(means.b) },
    { head: "Missing before", kind: "number", cell: ({ missing }) => String(missing.a) },
    { head: "Missing after", kind: "number", cell: ({ missing }) => String(missing.b) },
  ]);
  return { kind: "html", title: "Columns", html };
}

function shareSection(diff: DatasetDiff): readonly Section[] {
  const [a, b] = sideNames(diff);
  const charts = diff.columns.slice(0, columnsMost).flatMap((column, at): SizedChart[] => {
    if (column.shares.length === 0) return [];
    const share = (side: "a" | "b") => column.shares.map((one) => percentOf(one[side], 1));
    const input = {
      id: `share-${at}`,
      title: column.column,
      about: `The share of the rows by value; ${driftFigure(column)}.`,
      names: column.shares.map(({ name }) => name),
      unit: " %",
      series: [
        { name: a, values: share("a") },
        { name: b, values: share("b") },
      ],
    };
    return [column.kind === "number" ? standingBars(input) : lyingBars(input, "small")];
  });
  if (charts.length === 0) return [];
  return [
    {
      kind: "small-charts",
      title: "Side by side",
      about: "The share of the rows in bins of equal width, or of the most frequent values.",
      charts,
    },
  ];
}

function wordSection(diff: DatasetDiff): readonly Section[] {
  const words = diff.text?.words ?? [];
  if (words.length === 0) return [];
  const [a, b] = sideNames(diff);
  const html = htmlTable(
    "Words that tell the two apart, strongest first: the share of the texts that hold them",
    words,
    [
      { head: "Word", cell: ({ word }) => word },
      { head: a, kind: "number", cell: (word) => finePercent(word.a) },
      { head: b, kind: "number", cell: (word) => finePercent(word.b) },
    ],
  );
  return [{ kind: "html", title: "Words", html }];
}

function rowSections(diff: DatasetDiff): readonly Section[] {
  const { added, relabelled, removed } = diff.rows;
  const place = ({ file, line }: { readonly file: string; readonly line: number }) =>
    `${file === "" ? "row" : file}:${line}`;
  const listed = (title: string, caption: string, rows: typeof added.listed): readonly Section[] =>
    rows.length === 0
      ? []
      : [
          {
            kind: "html",
            title,
            html: htmlTable(caption, rows, [
              { head: "Place", cell: place },
              { head: "Split", cell: ({ split }) => split },
              { head: "Label", cell: ({ label }) => label },
              { head: "Row", kind: "text", cell: ({ text }) => text },
            ]),
          },
        ];
  const changed: readonly Section[] =
    relabelled.listed.length === 0
      ? []
      : [
          {
            kind: "html",
            title: "Rows under another label",
            html: htmlTable(`${relabelled.rows} rows`, relabelled.listed, [
              { head: "Before", cell: ({ a }) => place(a) },
              { head: "Label", cell: ({ a }) => a.label },
              { head: "After", cell: ({ b }) => place(b) },
              { head: "Label now", cell: ({ b }) => b.label },
              { head: "Row", kind: "text", cell: ({ text }) => text },
            ]),
          },
        ];
  const first = (count: number, all: number) => (count < all ? `, the first ${count}` : "");
  return [
    ...changed,
    ...listed("Rows that came", `${added.rows} rows${first(added.listed.length, added.rows)}`, added.listed),
    ...listed(
      "Rows that went",
      `${removed.rows} rows${first(removed.listed.length, removed.rows)}`,
      removed.listed,
    ),
  ];
}
