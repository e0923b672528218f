/** The parts of a page about a classifier, split by split: per label, what was taken for what, and how far its confidence can be believed. */
import { labelReports, overallOf, type SplitReport } from "../../../training/task/classification-report.ts";
import type { ClassifierReport } from "../../model/report-model.ts";
import { formatMetric, percent } from "../../../text/figure.ts";
import { lyingBars, standingBars } from "../dataset/bar-chart.ts";
import { htmlTable } from "../dataset/html-table.ts";
import type { Section } from "../dataset/page-shell.ts";

/** More labels are in the table, and not drawn. */
const barsMost = 60;
const confusionsMost = 100;

export function classifierSections({ labels, report }: ClassifierReport): readonly Section[] {
  return (["validation", "test"] as const).flatMap((name) => {
    const split = report[name];
    return split === undefined ? [] : splitSections(name, split, labels);
  });
}

export function classifierFacts({
  labels,
  report,
}: ClassifierReport): readonly (readonly [string, string])[] {
  const figures = (["validation", "test"] as const).flatMap((name) => {
    const split = report[name];
    if (split === undefined) return [];
    const { accuracy, calibrationError } = overallOf(split);
    return [
      [
        name,
        `${split.rows} rows: accuracy ${formatMetric(accuracy)}, log loss ${formatMetric(split.logLoss)}, calibration error ${formatMetric(calibrationError)}`,
      ] as const,
    ];
  });
  return [["Labels", String(labels.length)], ...figures];
}

function splitSections(name: string, split: SplitReport, labels: readonly string[]): readonly Section[] {
  const reports = labelReports(split, labels);
  const drawn = reports.slice(0, barsMost);
  const rounded = (value: number) => Number(value.toPrecision(4));
  return [
    {
      kind: "chart",
      chart: lyingBars({
        id: `labels-${name}`,
        title: `Labels, ${name}`,
        about:
          "Precision: of what was predicted as this label, the share that is it. Recall: of what is this label, the share predicted so.",
        names: drawn.map(({ label }) => label),
        series: [
          { name: "precision", values: drawn.map(({ precision }) => rounded(precision)) },
          { name: "recall", values: drawn.map(({ recall }) => rounded(recall)) },
        ],
      }),
    },
    {
      kind: "html",
      title: `Every label, ${name}`,
      html: htmlTable("Precision, recall and F1 of each label", reports, [
        { head: "Label", cell: ({ label }) => label },
        { head: "Precision", kind: "number", cell: ({ precision }) => precision.toFixed(3) },
        { head: "Recall", kind: "number", cell: ({ recall }) => recall.toFixed(3) },
        { head: "F1", kind: "number", cell: ({ f1 }) => f1.toFixed(3) },
        { head: "Rows", kind: "number", cell: ({ support }) => String(support) },
      ]),
    },
    { kind: "html", title: `Taken for another, ${name}`, html: confusionTable(split, labels) },
    reliability(name, split),
  ];
}

function confusionTable(split: SplitReport, labels: readonly string[]): string {
  const support = labelReports(split, labels).map((label) => label.support);
  const wrong = split.confusion
    .filter(([label, predicted]) => label !== predicted)
    .toSorted((a, b) => b[2] - a[2])
    .slice(0, confusionsMost);
  return htmlTable("What was taken for what, the most frequent first", wrong, [
    { head: "Is", cell: ([label]) => labels[label] ?? "" },
    { head: "Taken for", cell: ([, predicted]) => labels[predicted] ?? "" },
    { head: "Rows", kind: "number", cell: ([, , rows]) => String(rows) },
    {
      head: "Of its label",
      kind: "number",
      cell: ([label, , rows]) => percent(rows / (support[label] ?? rows)),
    },
  ]);
}

/** Of a well calibrated model both bars are of one height. */
function reliability(name: string, { bins }: SplitReport): Section {
  const filled = bins.flatMap((bin, at) => (bin.rows > 0 ? [{ ...bin, from: at / bins.length }] : []));
  const share = (part: number, rows: number) => Number((part / rows).toPrecision(4));
  const chart = standingBars({
    id: `confidence-${name}`,
    title: `Confidence, ${name}`,
    about: "For rows it was about equally sure of: how sure it was, and how often it was right.",
    names: filled.map(({ from }) => from.toFixed(2)),
    series: [
      { name: "said", values: filled.map(({ confidence, rows }) => share(confidence, rows)) },
      { name: "right", values: filled.map(({ hits, rows }) => share(hits, rows)) },
    ],
  });
  return {
    kind: "small-charts",
    title: `How far it can be believed, ${name}`,
    about: "A model that knows how sure it may be is right as often as it says.",
    charts: [chart],
  };
}
