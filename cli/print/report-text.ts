/**
 * What a classifier got right and wrong, as text: per label, the confusion matrix with a glyph for how heavy each
 * cell is, and how far its confidence can be believed. ASCII only, so that it stands anywhere.
 */
import {
  labelReports,
  macroMean,
  overallOf,
  type SplitReport,
} from "../../training/task/classification-report.ts";
import type { ClassifierReport } from "../../client/model/report-model.ts";
import { plural } from "../../protocol/plural.ts";
import { bar } from "../../text/canvas/bar.ts";
import { asciiGlyphs } from "../../text/glyph.ts";
import { clipped } from "../../text/clip.ts";
import { formatMetric, percent } from "../../text/figure.ts";
import { table } from "../../text/table.ts";

/** With more labels the matrix does not fit; the worst confusions are listed. */
const matrixLabelsMax = 12;
const confusionsMost = 20;
const barWidth = 20;
const labelCells = 24;

export function reportText({
  model,
  trainedBy,
  epoch,
  labels,
  report,
}: Omit<ClassifierReport, "kind">): string {
  const splits = (["validation", "test"] as const).flatMap((name) => {
    const split = report[name];
    return split === undefined ? [] : [splitText(name, split, labels)];
  });
  return [`${model}: ${trainedBy}, epoch ${epoch}`, ...splits].join("\n\n");
}

function splitText(name: string, split: SplitReport, labels: readonly string[]): string {
  const { accuracy, calibrationError } = overallOf(split);
  const figures = [
    `accuracy ${formatMetric(accuracy)}`,
    `log loss ${formatMetric(split.logLoss)}`,
    `calibration error ${formatMetric(calibrationError)}`,
  ];
  return [
    `${name}: ${plural(split.rows, "row")}, ${figures.join(", ")}`,
    labelTable(split, labels),
    labels.length <= matrixLabelsMax ? matrix(split, labels) : confusions(split, labels),
    reliability(split),
  ].join("\n\n");
}

function labelTable(split: SplitReport, labels: readonly string[]): string {
  const reports = labelReports(split, labels);
  const rows = [...reports, { label: "(mean)", ...macroMean(reports) }];
  return table(
    rows,
    [
      { head: "LABEL", cell: ({ label }) => clipped(label, labelCells) },
      { head: "PRECISION", cell: ({ precision }) => precision.toFixed(3), right: true },
      { head: "RECALL", cell: ({ recall }) => recall.toFixed(3), right: true },
      { head: "F1", cell: ({ f1 }) => f1.toFixed(3), right: true },
      { head: "ROWS", cell: ({ support }) => String(support), right: true },
      { head: "", cell: ({ f1 }) => `[${bar(f1, 1, barWidth, asciiGlyphs)}]` },
    ],
    "",
  );
}

/** Rows are what the texts are, columns what they were taken for. */
function matrix(split: SplitReport, labels: readonly string[]): string {
  const cells = new Map(
    split.confusion.map(([label, predicted, rows]) => [label * labels.length + predicted, rows]),
  );
  const support = labelReports(split, labels).map((label) => label.support);
  const numbered = labels.map((label, at) => ({ label, at }));
  const printed = table(
    numbered,
    [
      { head: "IS, TAKEN FOR", cell: ({ label, at }) => `${at + 1} ${clipped(label, labelCells)}` },
      ...numbered.map((column) => ({
        head: `${column.at + 1}  `,
        cell: ({ at }: { readonly at: number }) => {
          const rows = cells.get(at * labels.length + column.at) ?? 0;
          return rows === 0 ? ".  " : `${rows} ${heat(rows, support[at] ?? rows)}`;
        },
        right: true,
      })),
    ],
    "",
  );
  const scale = asciiGlyphs.spark.join("");
  return `${printed}\n(share of the row, from few to all: ${scale})`;
}

function heat(rows: number, whole: number): string {
  const steps = asciiGlyphs.spark;
  return steps[Math.min(steps.length - 1, Math.floor((rows / whole) * steps.length))] ?? "";
}

function confusions(split: SplitReport, labels: readonly string[]): string {
  const wrong = split.confusion
    .filter(([label, predicted]) => label !== predicted)
    .toSorted((a, b) => b[2] - a[2])
    .slice(0, confusionsMost);
  const support = labelReports(split, labels).map((label) => label.support);
  return table(
    wrong,
    [
      { head: "IS", cell: ([label]) => clipped(labels[label] ?? "", labelCells) },
      { head: "TAKEN FOR", cell: ([, predicted]) => clipped(labels[predicted] ?? "", labelCells) },
      { head: "ROWS", cell: ([, , rows]) => String(rows), right: true },
      {
        head: "OF ITS LABEL",
        cell: ([label, , rows]) => percent(rows / (support[label] ?? rows)),
        right: true,
      },
    ],
    "nothing was taken for anything else",
  );
}

/** How often it was right where it was so sure: a well calibrated model's two columns are the same. */
function reliability({ bins }: SplitReport): string {
  const rows = bins
    .map((bin, at) => ({ ...bin, from: at / bins.length, to: (at + 1) / bins.length }))
    .filter((bin) => bin.rows > 0);
  return table(
    rows,
    [
      { head: "CONFIDENCE", cell: ({ from, to }) => `${from.toFixed(2)} to ${to.toFixed(2)}` },
      { head: "ROWS", cell: (bin) => String(bin.rows), right: true },
      { head: "SAID", cell: (bin) => (bin.confidence / bin.rows).toFixed(3), right: true },
      { head: "RIGHT", cell: (bin) => (bin.hits / bin.rows).toFixed(3), right: true },
      { head: "", cell: (bin) => `[${bar(bin.hits / bin.rows, 1, barWidth, asciiGlyphs)}]` },
    ],
    "no rows",
  );
}
