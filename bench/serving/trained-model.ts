/** A linear model of TREC's questions, trained here in some seconds and kept as a file that every lane of ours loads. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openServedModel } from "../../serving/model/open-served-model.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { linear } from "../../training/text/linear.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { benchFolder } from "../shared/bench-folder.ts";
import { loadDataset } from "../shared/load-dataset.ts";
import { valueOf } from "../shared/value-of.ts";

export const trecFolder = join(
  resolve(projectFolder, process.env["TRIALMESH_DATA"] ?? "../shared/data"),
  "trec",
);

const epochs = 10;
const seed = 1;

export interface TrainedFile {
  readonly file: string;
  readonly accuracy: number;
  /** The test set's questions: what is asked. */
  readonly questions: readonly string[];
}

/** Null where the data are not there. */
export async function trainTrec(): Promise<TrainedFile | null> {
  if (!existsSync(trecFolder)) return null;
  const at = (file: string) => join(trecFolder, file);
  const loaded = await loadDataset({
    format: "labelled-lines",
    name: "trec",
    train: at("train.txt"),
    dev: undefined,
    test: at("test.txt"),
  });
  const { dataset } = valueOf(loaded);
  const trainer = valueOf(
    linear.create({ params: valueOf(resolveParams(linear, {})), seed, dataset, backend: sparseBackend }),
  );
  for (let epoch = 0; epoch < epochs; epoch++) await trainer.trainEpoch();
  const { accuracy = 0 } = trainer.evaluate("test");
  const folder = join(benchFolder, "serving");
  await mkdir(folder, { recursive: true });
  const file = join(folder, "trec.checkpoint");
  await writeFile(file, trainer.save());
  trainer.dispose();
  return { file, accuracy, questions: dataset.test.map(({ text }) => text) };
}

export async function openTrec(file: string): Promise<ServedModel> {
  const name = { model: "trec", version: 1, digest: "0".repeat(64) };
  return valueOf(await openServedModel({ bytes: await readFile(file), manifest: null, name }));
}
