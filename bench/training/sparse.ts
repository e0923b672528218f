/**
 * The sparse engine beside Debian's C++ `fasttext`: the same texts, width, epochs, n-grams and buckets, one thread each,
 * in turn. Our time is everything from texts in memory to trained weights, n-grams included; theirs is what it says
 * of its training alone. Datasets are those of TRIALMESH_DATA.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { buildDataset } from "../../data/version/build-dataset.ts";
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { loadDataset } from "../shared/load-dataset.ts";
import { readVersion } from "../../data/manifest/read-version.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { fasttext } from "../../training/text/fasttext.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { readDatasetFile } from "../../spec/dataset/read-dataset-file.ts";
import { benchFolder } from "../shared/bench-folder.ts";
import { valueOf } from "../shared/value-of.ts";
import {
  fasttextFault,
  runFasttext,
  writePeerFiles,
  type FasttextSetting,
  type PeerRun,
} from "./fasttext-peer.ts";

export interface SparseRow {
  readonly dataset: string;
  readonly setting: FasttextSetting;
  /** Ours over theirs, in examples per second. */
  readonly ratio: number;
  /** The same with our n-grams already made; theirs still reads its lines. */
  readonly ratioWithoutParsing: number;
  /** The same with the whole of their process, its dictionary and saving included. */
  readonly ratioWhole: number;
  /** Examples per second, best of the rounds. */
  readonly ours: number;
  readonly theirs: number;
  /** On the test split; ours is the mean over the rounds, each with a seed of its own. */
  readonly accuracy: { readonly ours: number; readonly theirs: number };
}

export interface SparseBench {
  /** The smallest of the rows' ratios. */
  readonly fasttextRatio: number;
  readonly rows: readonly SparseRow[];
}

const dataDir = resolve(projectFolder, process.env["TRIALMESH_DATA"] ?? "../shared/data");

const cases: readonly { readonly dataset: "ag-news" | "trec" | "sst2"; readonly setting: FasttextSetting }[] =
  [
    {
      dataset: "ag-news",
      setting: { dim: 10, epochs: 10, lr: 0.5, wordNgrams: 2, charMin: 1, charMax: 0, bucketBits: 17 },
    },
    {
      dataset: "trec",
      setting: { dim: 100, epochs: 20, lr: 0.5, wordNgrams: 2, charMin: 1, charMax: 0, bucketBits: 17 },
    },
    {
      dataset: "sst2",
      setting: { dim: 32, epochs: 10, lr: 0.5, wordNgrams: 2, charMin: 4, charMax: 5, bucketBits: 18 },
    },
  ];

/** A sentence instead of figures where the data or the program is not there. */
export async function benchSparse(rounds: number): Promise<SparseBench | string> {
  if (!existsSync(dataDir)) return `skipped: no data in ${dataDir}; set TRIALMESH_DATA to its folder`;
  const fault = await fasttextFault();
  if (fault !== null) return `skipped: ${fault}`;
  const rows: SparseRow[] = [];
  for (const { dataset, setting } of cases) rows.push(await compare(await read(dataset), setting, rounds));
  return { fasttextRatio: Math.min(...rows.map((row) => row.ratio)), rows };
}

interface OwnRun {
  readonly seconds: number;
  readonly trainingSeconds: number;
  readonly accuracy: number;
}

async function compare(dataset: TextDataset, setting: FasttextSetting, rounds: number): Promise<SparseRow> {
  const files = await writePeerFiles(dataset);
  const own: OwnRun[] = [];
  const theirs: PeerRun[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(await runFasttext(files, setting));
    own.push(await runOwn(dataset, setting, round + 1));
  }
  const examples = dataset.train.length * setting.epochs;
  const best = Math.max(...theirs.map((run) => run.examplesPerSecond));
  const ours = examples / Math.min(...own.map((run) => run.seconds));
  const training = examples / Math.min(...own.map((run) => run.trainingSeconds));
  const whole = examples / Math.min(...theirs.map((run) => run.wholeSeconds));
  return {
    dataset: dataset.name,
    setting,
    ratio: ours / best,
    ratioWithoutParsing: training / best,
    ratioWhole: ours / whole,
    ours: Math.round(ours),
    theirs: Math.round(best),
    accuracy: {
      ours: own.reduce((sum, run) => sum + run.accuracy, 0) / own.length,
      theirs: theirs[0]?.accuracy ?? 0,
    },
  };
}

async function runOwn(dataset: TextDataset, setting: FasttextSetting, seed: number): Promise<OwnRun> {
  const { epochs, ...given } = setting;
  const params = valueOf(resolveParams(fasttext, { ...given, decayEpochs: epochs }));
  // A copy, as n-grams are kept per dataset.
  const fresh = { ...dataset };
  const from = performance.now();
  const trainer = valueOf(fasttext.create({ params, seed, dataset: fresh, backend: sparseBackend }));
  const ready = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) await trainer.trainEpoch();
  const done = performance.now();
  const { accuracy = 0 } = trainer.evaluate("test");
  trainer.dispose();
  return { seconds: (done - from) / 1000, trainingSeconds: (done - ready) / 1000, accuracy };
}

async function read(name: "ag-news" | "trec" | "sst2"): Promise<TextDataset> {
  if (name === "ag-news") return readDeclared(join(projectFolder, "examples/datasets/ag-news.yaml"));
  const at = (file: string) => join(dataDir, name, file);
  const dev = name === "sst2" ? at("dev.txt") : undefined;
  const loaded = await loadDataset({
    format: "labelled-lines",
    name,
    train: at("train.txt"),
    dev,
    test: at("test.txt"),
  });
  return valueOf(loaded).dataset;
}

async function readDeclared(file: string): Promise<TextDataset> {
  const environment = { ...process.env, TRIALMESH_DATA: dataDir };
  const declared = readDatasetFile({ file, environment, text: readFileSync(file, "utf8") });
  if (!declared.ok) throw new Error(`${file}: ${declared.problems[0]?.message ?? "it is wrong"}`);
  const workDir = join(benchFolder, "datasets");
  await mkdir(workDir, { recursive: true });
  const built = valueOf(await buildDataset(declared.declaration, { workDir }));
  const dataset = valueOf(await readVersion(built.path));
  if (dataset.kind !== "text") throw new Error(`${file} is no text with labels`);
  return dataset;
}
