/** `trialmesh model report`: per label what a registered classifier got right and wrong, from its checkpoint. */
import type { Command } from "commander";
import { labelReports, overallOf, type SplitReport } from "../../training/task/classification-report.ts";
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView } from "../../protocol/view.ts";
import { modelReference, type ModelReference } from "../../client/model/model-reference.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { reportText, type ModelReport } from "../print/report-text.ts";
import { fetchBlob } from "../../artifact/mesh-blob.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";

export function modelReportCommand(terminal: Terminal): Command {
  return asking(
    "report",
    "show what a classifier gets right and wrong: per label, as a matrix, by confidence",
  )
    .argument("<model>", "name, name@version or name@alias; the newest version without one", reportedModel)
    .addHelpText(
      "after",
      examples("trialmesh model report language-id@champion", "trialmesh model report language-id --json"),
    )
    .action(
      action(terminal, (reference: ReportedModel, options: MeshOptions) =>
        withMesh(terminal, options, async (connected) => {
          const report = await reportOf(connected, reference);
          if (!report.ok) return printRefusal(terminal, options, report.refusal);
          const answer = accept(options.json === true ? asDocument(report.value) : report.value);
          return printAnswer(terminal, options, answer, () => reportText(report.value));
        }),
      ),
    );
}

type ReportedModel = Omit<ModelReference, "version"> & { readonly version: number | string | null };

function reportedModel(text: string): ReportedModel {
  if (text.includes("@")) return modelReference(text);
  return { ...modelReference(`${text}@1`), version: null };
}

async function reportOf(
  { home, bus, client }: Connected,
  wanted: ReportedModel,
): Promise<Outcome<ModelReport>> {
  let { version } = wanted;
  if (version === null) {
    const known = await client.query("model", { model: wanted.model });
    if (!known.ok) return known;
    version = Math.max(...known.value.versions.map((one) => one.version));
  }
  const lineage = await client.query("lineage", { model: wanted.model, version });
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
function asDocument({ report, labels, ...rest }: ModelReport): object {
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
