/** A model exported for a test, into a folder that goes with it, and what its own program for Node answers. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/** Answers of the folder's `predict.mjs`, row after row. */
export async function nodeAnswers(folder: string, rows: readonly Row[]): Promise<readonly number[]> {
  const loaded: unknown = await import(pathToFileURL(join(folder, "predict.mjs")).href);
  const predictor = predictorSchema.parse(await openSchema.parse(loaded).openPredictor());
  return answersSchema.parse(await predictor.answer(rows)).flat();
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
