/** A model exported for a test, into a folder that goes with it, and what its own program for Node answers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { exportModel } from "../../serving/export/export-model.ts";
import type { ModelFormat } from "../../serving/export/model-format.ts";

export const exportedName = { model: "tried", version: 3, digest: "0".repeat(64) } as const;

export type Row = Readonly<Record<string, string | number | boolean | null>>;

type Answer = (rows: readonly Row[]) => unknown;
const predictorSchema = z.object({ answer: z.custom<Answer>((value) => typeof value === "function") });
const openSchema = z.object({
  openPredictor: z.custom<() => unknown>((value) => typeof value === "function"),
});
const answersSchema = z.array(z.array(z.number()));

const homes: string[] = [];
process.once("exit", () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** The folder is removed when the process ends. */
export async function exportedFolder(
  bytes: Uint8Array,
  format: ModelFormat,
  manifest: Manifest | null = null,
): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), "trialmesh-export-"));
  homes.push(home);
  const folder = join(home, "model");
  const request = { name: exportedName, bytes, manifest, lineage: null, format, folder };
  const made = await exportModel({ ...request, force: false });
  assert.ok(made.ok, made.ok ? "" : made.refusal.message);
  return folder;
}

/** What the folder's `predict.mjs` answers, row after row; it finds its packages in `modules`. */
export async function nodePredictor(
  folder: string,
  modules: string,
): Promise<(rows: readonly Row[]) => Promise<readonly number[]>> {
  symlinkSync(modules, join(folder, "node_modules"));
  const loaded: unknown = await import(pathToFileURL(join(folder, "predict.mjs")).href);
  const predictor = predictorSchema.parse(await openSchema.parse(loaded).openPredictor());
  return async (rows) => answersSchema.parse(await predictor.answer(rows)).flat();
}

const lineSchema = z.object({
  prediction: z.union([z.string(), z.number()]),
  probabilities: z.record(z.string(), z.number()).optional(),
});

/** What the folder's `predict.mjs` prints for the rows, in a process of its own: two engines of TensorFlow.js in one disturb each other. */
export function printedAnswers(folder: string, modules: string, rows: readonly Row[]): readonly number[] {
  symlinkSync(modules, join(folder, "node_modules"));
  const file = join(folder, "rows.jsonl");
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const printed = execFileSync(process.execPath, [join(folder, "predict.mjs"), file], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = printed.split("\n").filter((line) => line.startsWith("{"));
  return lines.flatMap((line) => {
    const { prediction, probabilities } = lineSchema.parse(JSON.parse(line));
    return probabilities === undefined ? [Number(prediction)] : Object.values(probabilities);
  });
}

const exampleSchema = z.object({ tolerance: z.number(), scale: z.number() });

/** Every number alike to within what the folder's example allows. */
export function assertAlike(
  found: readonly number[],
  wanted: ArrayLike<number>,
  folder: string,
  what: string,
): void {
  const { scale, tolerance } = exampleSchema.parse(
    JSON.parse(readFileSync(join(folder, "example.json"), "utf8")),
  );
  assert.equal(tolerance, 1e-5);
  assert.equal(found.length, wanted.length, `${what}: so many numbers`);
  found.forEach((one, at) => {
    const other = wanted[at] ?? Number.NaN;
    const off = Math.abs(one - other) / Math.max(scale, Math.abs(other));
    assert.ok(off <= tolerance, `${what}: number ${at} is ${one}, not ${other}`);
  });
}
