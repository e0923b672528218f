/**
 * What a classifier got right and wrong, label by label, as a checkpoint keeps it: counts only, from which
 * precision, recall, F1 and reliability follow. How it is printed is the command line's matter.
 */
import * as z from "zod";
import { storedList } from "../../protocol/bound.ts";
import type { Metrics } from "./task.ts";

const count = z.int().nonnegative();
const binSchema = z.strictObject({
  rows: count,
  /** Sum of the predicted labels' probabilities. */
  confidence: z.number().nonnegative(),
  /** Rows predicted rightly. */
  hits: count,
});
const splitReportSchema = z.strictObject({
  rows: count,
  /** Mean, in nats. */
  logLoss: z.number(),
  /** [true label, predicted label, rows], as indexes of the checkpoint's labels; only where there are rows. */
  confusion: storedList(z.tuple([count, count, count])),
  /** Equal-width bins of the predicted label's probability, from 0 to 1. */
  bins: storedList(binSchema),
});
export const classificationReportSchema = z.strictObject({
  validation: splitReportSchema.optional(),
  test: splitReportSchema.optional(),
});

export type ReportedBin = Readonly<z.infer<typeof binSchema>>;
export type SplitReport = z.infer<typeof splitReportSchema>;
export type ClassificationReport = z.infer<typeof classificationReportSchema>;

/** A split's metrics and the counts behind them: what `metric.ts` tallies. */
interface Measured {
  result(): Readonly<Record<"accuracy" | "macroF1" | "logLoss" | "calibrationError", number>>;
  report(): SplitReport;
}

/** What a trainer has measured of its weights as they are. Its checkpoint takes the report from here. */
export class Evaluations {
  #reports: ClassificationReport = {};

  /** Keeps the split's counts; gives its metrics. */
  add(split: "validation" | "test", tally: Measured): Metrics {
    this.#reports = { ...this.#reports, [split]: tally.report() };
    return { ...tally.result() };
  }

  /** To be called when the weights change: what was measured is of other weights then. */
  clear(): void {
    this.#reports = {};
  }

  /** For `report` of a checkpoint's metadata: empty where nothing was measured. */
  get meta(): { readonly report?: ClassificationReport } {
    return Object.keys(this.#reports).length === 0 ? {} : { report: this.#reports };
  }
}

export interface LabelReport {
  readonly label: string;
  /** Of what was predicted as this label, the share that is it; 0 where nothing was. */
  readonly precision: number;
  /** Of what is this label, the share predicted so; 0 where nothing is. */
  readonly recall: number;
  /** Harmonic mean of the two; 0 where both are. */
  readonly f1: number;
  /** Rows of this label. */
  readonly support: number;
}

/** Per label, in the order of the labels. */
export function labelReports(report: SplitReport, labels: readonly string[]): readonly LabelReport[] {
  const hits = new Float64Array(labels.length);
  const actual = new Float64Array(labels.length);
  const predicted = new Float64Array(labels.length);
  for (const [label, other, rows] of report.confusion) {
    actual[label] = (actual[label] ?? 0) + rows;
    predicted[other] = (predicted[other] ?? 0) + rows;
    if (label === other) hits[label] = (hits[label] ?? 0) + rows;
  }
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return labels.map((label, at) => {
    const [hit, support, said] = [hits[at] ?? 0, actual[at] ?? 0, predicted[at] ?? 0];
    return {
      label,
      precision: share(hit, said),
      recall: share(hit, support),
      f1: share(2 * hit, said + support),
      support,
    };
  });
}

/** Means over the labels, each counting the same, as scikit-learn's "macro avg". */
export function macroMean(labels: readonly LabelReport[]): Omit<LabelReport, "label"> {
  const mean = (of: (label: LabelReport) => number) =>
    labels.reduce((sum, label) => sum + of(label), 0) / Math.max(1, labels.length);
  return {
    precision: mean((label) => label.precision),
    recall: mean((label) => label.recall),
    f1: mean((label) => label.f1),
    support: labels.reduce((sum, label) => sum + label.support, 0),
  };
}

/** Accuracy and expected calibration error again from the counts. */
export function overallOf(report: SplitReport): {
  readonly accuracy: number;
  readonly calibrationError: number;
} {
  const rows = Math.max(1, report.rows);
  return {
    accuracy: report.bins.reduce((sum, bin) => sum + bin.hits, 0) / rows,
    calibrationError: report.bins.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.hits), 0) / rows,
  };
}
