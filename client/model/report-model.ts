/**
 * What a registered model got right and wrong: a classifier's counts from its checkpoint; of a model whose target is a number,
 * `report-regressor.ts`. Not how that is printed.
 */
import {
  labelReports,
  overallOf,
  type ClassificationReport,
  type SplitReport,
} from "../../training/task/classification-report.ts";
import { decodeCheckpoint, type CheckpointMeta } from "../../training/task/checkpoint.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Environment } from "../../system/environment.ts";
import { fetchBytes } from "../artifact/fetch-bytes.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import type { ModelReference } from "./model-reference.ts";
import { reportRegressor, type RegressionReport } from "./report-regressor.ts";

export interface ClassifierReport {
  readonly kind: "classification";
  /** `name@version`. */
  readonly model: string;
  /** What trained it, such as `nbsvm of text-classification`. */
  readonly trainedBy: string;
  readonly epoch: number;
  readonly labels: readonly string[];
  readonly report: ClassificationReport;
}

export type ModelReport = ClassifierReport | RegressionReport;

export async function reportModel(
  connected: Connected,
  wanted: ModelReference,
  environment: Environment,
): Promise<Outcome<ModelReport>> {
  const { client } = connected;
  const lineage = await client.query("lineage", wanted);
  if (!lineage.ok) return lineage;
  const bytes = await fetchBytes(connected, lineage.value.version.artifact);
  if (!bytes.ok) return bytes;
  const { model, version } = lineage.value;
  const name = `${model}@${version.version}`;
  const checkpoint = decodeCheckpoint(bytes.value);
  if (!checkpoint.ok) {
    return refuse("invalid", `${name} is of task ${version.task}, which keeps no report in its artifact`);
  }
  const { meta } = checkpoint.value;
  // Tables of numbers have no labels; texts and classes always do.
  if (meta.extra["target"] === "number")
    return reportRegressor(connected, lineage.value, bytes.value, meta.epoch, environment);
  return classifierReport(name, meta);
}

/** What the checkpoint of a registered version says of itself. */
function classifierReport(model: string, meta: CheckpointMeta): Outcome<ClassifierReport> {
  if (meta.report === undefined) {
    return refuse(
      "unknown",
      `${model} keeps no report: only models of labels and of numbers have one, those of labels if trained since reports are kept`,
    );
  }
  return accept({
    kind: "classification",
    model,
    trainedBy: `${meta.model} of ${meta.task}`,
    epoch: meta.epoch,
    labels: meta.labels,
    report: meta.report,
  });
}

/** The report for programs: labels by name, derived figures included. */
export function reportDocument(whole: ModelReport): object {
  if (whole.kind === "regression") {
    const { splits, ...about } = whole;
    return { ...about, ...splits };
  }
  const { labels, report, ...rest } = whole;
  const split = (counts: SplitReport) => ({
    rows: counts.rows,
    ...overallOf(counts),
    logLoss: counts.logLoss,
    labels: labelReports(counts, labels),
    confusion: counts.confusion.map(([label, predicted, rows]) => ({
      label: labels[label],
      predicted: labels[predicted],
      rows,
    })),
    bins: counts.bins.map((bin, at) => ({
      from: at / counts.bins.length,
      to: (at + 1) / counts.bins.length,
      ...bin,
    })),
  });
  return {
    ...rest,
    ...(report.validation === undefined ? {} : { validation: split(report.validation) }),
    ...(report.test === undefined ? {} : { test: split(report.test) }),
  };
}
