/**
 * A registered version as a folder that works without trialmesh: weights in a format of others, the frozen transformation, a card, an
 * example, programs. Where the bytes come from, and models that programs made, are the client's matter.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { RecordedExample } from "../../protocol/version-fact.ts";
import type { LineageView } from "../../protocol/view.ts";
import { decodeCheckpoint, type Checkpoint } from "../../training/task/checkpoint.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { openServedModel } from "../model/open-served-model.ts";
import type { VersionName } from "../model/served-model.ts";
import { makeWholeFolder, writePieces } from "./draft-folder.ts";
import { makeExample } from "./example.ts";
import { formatFiles, type FormatFiles } from "./export-format.ts";
import type { ModelFormat } from "./model-format.ts";
import { graphColumns, type GraphColumns } from "./graph/feature-front.ts";
import { modelGraph } from "./graph/model-graph.ts";
import { modelCard } from "./model-card.ts";
import { describeTransform, type DescribedTransform } from "./transform-description.ts";

const transformFile = "transform.json";

export interface ExportRequest {
  readonly name: VersionName;
  /** Of its checkpoint. */
  readonly bytes: Uint8Array;
  /** Of the data set it was trained on; null where that is not known. */
  readonly manifest: Manifest | null;
  readonly lineage: LineageView | null;
  /** On record for the version. */
  readonly example?: RecordedExample | undefined;
  readonly format: ModelFormat;
  readonly folder: string;
  /** Replaces an earlier export. */
  readonly force: boolean;
}

export interface ExportedModel {
  readonly folder: string;
  readonly format: ModelFormat;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

export async function exportModel(request: ExportRequest): Promise<Outcome<ExportedModel>> {
  const { bytes, folder, force, format, lineage, manifest, name } = request;
  const checkpoint = decodeCheckpoint(bytes);
  if (!checkpoint.ok) return checkpoint;
  const served = await openServedModel({ bytes, manifest, name });
  if (!served.ok) return served;
  try {
    const transform = describeTransform(checkpoint.value, manifest, served.value.transform.inputs);
    if (!transform.ok) return transform;
    const { features } = transform.value.description;
    const front = features !== undefined && beginsWithColumns(format) ? features : null;
    const graph = modelGraph(checkpoint.value, bytes, front);
    if (!graph.ok) return graph;
    const described = front === null ? transform.value : withColumns(transform.value, graphColumns(front));
    const { description } = described;
    const at = lineage?.version.at ?? null;
    const source = { graph: graph.value, name, transform: description, at };
    const made = formatFiles(format, source);
    const { meta } = checkpoint.value;
    const card = modelCard({
      name,
      meta,
      manifest,
      lineage,
      transform: description,
      graph: graph.value,
      format: made.text,
      programs: Object.keys(made.programs),
    });
    const options = { replace: force ? transformFile : null, what: "an earlier export" };
    return await makeWholeFolder(folder, options, async (draft) => {
      const files = await filesOf(made, described, card);
      for (const [file, pieces] of files) await writePieces(join(draft, file), pieces);
      const example = await makeExample({
        transform: description,
        served: served.value,
        folder: draft,
        scale: scaleOf(checkpoint.value),
        recorded: request.example ?? null,
      });
      if (!example.ok) return example;
      const last = new Map(made.ofExample?.(example.value) ?? []);
      last.set("example.json", [json(example.value)]);
      for (const [file, pieces] of last) {
        files.set(file, pieces);
        await writePieces(join(draft, file), pieces);
      }
      return accept({
        folder,
        format,
        files: [...files].map(([file, pieces]) => ({ name: file, bytes: sizeOf(pieces) })),
      });
    });
  } finally {
    served.value.dispose();
  }
}

async function filesOf(
  made: FormatFiles,
  { description, files }: DescribedTransform,
  card: string,
): Promise<Map<string, readonly Uint8Array[]>> {
  const all = new Map(made.files);
  all.set("README.md", [Buffer.from(card)]);
  all.set(transformFile, [json(description)]);
  for (const [file, bytes] of files) all.set(file, [bytes]);
  for (const [file, program] of Object.entries(made.programs))
    all.set(file, [await readFile(join(projectFolder, "serving", "export", "program", program))]);
  return all;
}

/** Whether a runtime of the format takes words and double precision. */
function beginsWithColumns(format: ModelFormat): boolean {
  return format === "onnx" || format === "mlflow";
}

function withColumns({ description, files }: DescribedTransform, graph: GraphColumns): DescribedTransform {
  return { description: { ...description, graph }, files };
}

/** How widely the numbers lie that it was trained to predict; 1 for probabilities. */
function scaleOf({ tensors }: Checkpoint): number {
  const [, deviation = 1] = tensors.get("target.scale")?.data ?? [];
  return Math.max(1, deviation);
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
