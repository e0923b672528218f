/** What a registered classifier got right and wrong, read from its checkpoint. Not how that is printed. */
import {
  labelReports,
  overallOf,
  type ClassificationReport,
  type SplitReport,
} from "../../training/task/classification-report.ts";
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { fetchBlob } from "../../artifact/mesh-blob.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView } from "../../protocol/view.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import type { ModelReference } from "./model-reference.ts";

export interface ModelReport {
  /** `name@version`. */
  readonly model: string;
  /** What trained it, such as `nbsvm of text-classification`. */
  readonly trainedBy: string;
  readonly epoch: number;
  readonly labels: readonly string[];
  readonly report: ClassificationReport;
}

export async function reportModel(
  { home, bus, client }: Connected,
  wanted: ModelReference,
): Promise<Outcome<ModelReport>> {
  const lineage = await client.query("lineage", wanted);
  if (!lineage.ok) return lineage;
  const bytes = await fetchBlob(bus, home.mesh, lineage.value.version.artifact);
  return bytes.ok ? reportFrom(lineage.value, bytes.value) : bytes;
}

/** What the checkpoint of a registered version says of itself. */
function reportFrom({ model, version }: LineageView, bytes: Uint8Array): Outcome<ModelReport> {
  const name = `${model}@${version.version}`;
  const checkpoint = decodeCheckpoint(bytes);
  if (!checkpoint.ok) {
    return refuse("invalid", `${name} is of task ${version.task}, which keeps no report in its artifact`);
  }
  const { meta } = checkpoint.value;
  if (meta.report === undefined) {
    return refuse(
      "unknown",
      `${name} keeps no report: only classifiers have one, trained since reports are kept`,
    );
  }
  return accept({
    model: name,
    trainedBy: `${meta.model} of ${meta.task}`,
    epoch: meta.epoch,
    labels: meta.labels,
    report: meta.report,
  });
}

/** The report for programs: labels by name, derived figures included. */
export function reportDocument({ report, labels, ...rest }: ModelReport): object {
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
