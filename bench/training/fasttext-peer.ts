/**
 * Debian's C++ `fasttext` as a peer: it reads the same texts, lower-cased and once shuffled, from a file, and trains
 * on one thread. Its speed is what it says of itself, so that its start, dictionary and saving do not count.
 */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemCode } from "../../system/system-error.ts";
import type { Example, TextDataset } from "../../data/row/dataset-rows.ts";
import { permutation } from "../../training/tensor/seeded-stream.ts";
import { benchFolder } from "../shared/bench-folder.ts";

export interface FasttextSetting {
  readonly dim: number;
  readonly epochs: number;
  readonly lr: number;
  readonly wordNgrams: number;
  readonly charMin: number;
  /** 0 for none. */
  readonly charMax: number;
  readonly bucketBits: number;
}

export interface PeerFiles {
  readonly train: string;
  readonly test: string;
  readonly model: string;
  /** Tokens it counts in one pass: words, a label and a line end for each example. */
  readonly tokens: number;
  readonly examples: number;
}

export interface PeerRun {
  /** Examples per second while it trains: reading lines and hashing n-grams in each epoch included. */
  readonly examplesPerSecond: number;
  /** Seconds of the whole process. */
  readonly wholeSeconds: number;
  readonly accuracy: number;
}

const run = promisify(execFile);
const program = process.env["TRIALMESH_FASTTEXT"] ?? "fasttext";
const shuffleSeed = 1;

/** Why the program cannot be used here, or null. */
export async function fasttextFault(): Promise<string | null> {
  try {
    await run(program, ["test"]);
  } catch (error) {
    if (systemCode(error) === "ENOENT")
      return `there is no program "${program}"; install Debian's package fasttext, or name one with TRIALMESH_FASTTEXT`;
  }
  return null;
}

export async function writePeerFiles(dataset: TextDataset): Promise<PeerFiles> {
  const folder = join(benchFolder, "fasttext");
  await mkdir(folder, { recursive: true });
  const order = permutation(dataset.train.length, shuffleSeed, 0);
  const shuffled = Array.from(order, (at) => dataset.train[at]).filter((example) => example !== undefined);
  const [train, test] = [lines(shuffled), lines(dataset.test)];
  const files = {
    train: join(folder, `${dataset.name}.train`),
    test: join(folder, `${dataset.name}.test`),
    model: join(folder, dataset.name),
  };
  await writeFile(files.train, train.join(""));
  await writeFile(files.test, test.join(""));
  const tokens = train.reduce((sum, line) => sum + line.split(" ").length + 1, 0);
  return { ...files, tokens, examples: shuffled.length };
}

export async function runFasttext(files: PeerFiles, setting: FasttextSetting): Promise<PeerRun> {
  const flags = {
    dim: setting.dim,
    epoch: setting.epochs,
    lr: setting.lr,
    wordNgrams: setting.wordNgrams,
    minn: setting.charMax === 0 ? 0 : setting.charMin,
    maxn: setting.charMax,
    bucket: 2 ** setting.bucketBits,
    thread: 1,
  };
  const words = Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const from = performance.now();
  const { stderr, stdout } = await run(
    program,
    ["supervised", "-input", files.train, "-output", files.model, ...words],
    { maxBuffer: 2 ** 26 },
  );
  const wholeSeconds = (performance.now() - from) / 1000;
  const told = [...`${stdout}${stderr}`.matchAll(/words\/sec\/thread:\s+(\d+)/gu)].at(-1)?.[1];
  if (told === undefined) throw new Error("fasttext did not say how fast it was");
  const tested = await run(program, ["test", `${files.model}.bin`, files.test]);
  const accuracy = /P@1\s+([\d.]+)/u.exec(tested.stdout)?.[1];
  if (accuracy === undefined) throw new Error("fasttext did not say how accurate it was");
  return {
    examplesPerSecond: (Number(told) * files.examples) / files.tokens,
    wholeSeconds,
    accuracy: Number(accuracy),
  };
}

function lines(examples: readonly Example[]): string[] {
  return examples.map(({ label, text }) => {
    const words = text.normalize("NFC").toLowerCase().split(/\s+/u);
    return `__label__${label} ${words.filter((word) => word !== "").join(" ")}\n`;
  });
}
