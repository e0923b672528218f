/** The bench's file answered by `predictFile`, with a model of the same kind as the peer's that was trained before, in another process. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { predictFile } from "../../client/predict/predict-file.ts";
import { declarationOf } from "../../data/declaration/shorthand.ts";
import { artifactName } from "../../artifact/name-artifact.ts";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import { readVersion } from "../../data/manifest/read-version.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { openServedModel, type OpenedModel } from "../../serving/model/open-served-model.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { valueOf } from "../shared/value-of.ts";

export const answerLaneSchema = z.object({
  rows: z.int().positive(),
  seconds: z.number().positive(),
  /** Of all threads, while the rows were answered. */
  processorSeconds: z.number().positive(),
  /** Largest resident memory of the process. */
  rssMiB: z.number().positive(),
  accuracy: z.number(),
});
export type AnswerLane = z.infer<typeof answerLaneSchema>;

const epochs = 9;
/** Words and pairs of words, as the peer has them. */
const params = { wordNgrams: 2, charMax: 0, bucketBits: 18, lr: 0.4 };
const kibPerMib = 1024;
const usPerSecond = 1e6;

/** `folder`: where `trainModel` left the model, and the answers go. */
export async function answerLane(csv: string, folder: string): Promise<AnswerLane> {
  const model = await openModel(folder);
  const before = process.cpuUsage();
  const began = performance.now();
  const done = valueOf(
    await predictFile({
      model,
      file: csv,
      stdin: process.stdin,
      out: join(folder, "answered.csv"),
      format: "csv",
      only: false,
      explainer: null,
      pour: () => Promise.resolve(),
      say: (line) => console.error(line),
      onBad: ({ reason }) => Promise.reject(new Error(reason)),
      onProgress: () => undefined,
      signal: new AbortController().signal,
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const { system, user } = process.cpuUsage(before);
  const { rightness } = done;
  return {
    rows: done.rows,
    seconds,
    processorSeconds: (user + system) / usPerSecond,
    rssMiB: process.resourceUsage().maxRSS / kibPerMib,
    accuracy: rightness?.kind === "labels" ? rightness.accuracy : Number.NaN,
  };
}

const modelFile = "model.safetensors";
const versionFile = "version.parquet";

async function openModel(folder: string): Promise<OpenedModel> {
  const manifest = valueOf(await readManifest(join(folder, versionFile)));
  const bytes = await readFile(join(folder, modelFile));
  const name = { model: "questions", version: 1, digest: artifactName(bytes) };
  return valueOf(await openServedModel({ bytes, manifest, name }));
}

/** `train`: labelled lines. */
export async function trainModel(train: string, folder: string): Promise<void> {
  const declaration = declarationOf({ format: "labelled-lines", name: "questions", train });
  const version = valueOf(await buildDataset(declaration, { workDir: folder }));
  const dataset = valueOf(await readVersion(version.path));
  const linear = valueOf(findModel("text-classification", "linear"));
  const options = {
    params: valueOf(resolveParams(linear, params)),
    seed: 1,
    dataset,
    backend: sparseBackend,
  };
  const trainer = valueOf(linear.create(options));
  for (let epoch = 0; epoch < epochs; epoch++) await trainer.trainEpoch();
  await writeFile(join(folder, modelFile), trainer.save());
  await rename(version.path, join(folder, versionFile));
}
