/** Dataset files and their data in a folder of the test's own, built and read back. Gone when the tests end. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { readDatasetFile } from "../../spec/dataset/read-dataset-file.ts";
import { formatProblems } from "../../spec/yaml/problem.ts";
import { buildDataset, type BuiltVersion } from "../../data/version/build-dataset.ts";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { lit } from "../../data/engine/sql.ts";
import type { Declaration } from "../../data/declaration/declaration.ts";
import type { Outcome } from "../../protocol/refusal.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-build-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));

export const buildFolder = dir;

/** Writes a file of the test; its path. */
export function put(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** What a dataset file in the test's folder declares. */
export function declared(yaml: string, environment: Readonly<Record<string, string>> = {}): Declaration {
  const file = join(dir, "dataset.yaml");
  const read = readDatasetFile({ file, text: yaml, environment });
  assert.ok(read.ok, read.ok ? "" : formatProblems("dataset.yaml", read.problems));
  return read.declaration;
}

export async function build(
  yaml: string,
  options: { readonly threads?: number; readonly memoryMiB?: number; readonly into?: string } = {},
): Promise<Outcome<BuiltVersion>> {
  const { into = "versions", threads = 2, memoryMiB = 256 } = options;
  return buildDataset(declared(yaml), { workDir: join(dir, into), threads, memoryMiB });
}

export async function built(yaml: string, options: Parameters<typeof build>[1] = {}): Promise<BuiltVersion> {
  const outcome = await build(yaml, options);
  assert.ok(outcome.ok, outcome.ok ? "" : outcome.refusal.message);
  return outcome.value;
}

/** The sentence with which a build is refused, without the folder's name. */
export async function refusalOf(yaml: string): Promise<string> {
  const outcome = await build(yaml);
  assert.ok(!outcome.ok, "it was built");
  return outcome.refusal.message.replaceAll(`${dir}/`, "");
}

/** Rows of a version's file, in its order. */
export async function rowsOf(
  { path }: BuiltVersion,
  columns = "*",
): Promise<readonly (readonly unknown[])[]> {
  const engine = await openEngine({ workDir: dir, threads: 1, memoryMiB: 256, onDisk: false });
  try {
    return await engine.rows(`SELECT ${columns} FROM read_parquet(${lit(path)})`);
  } finally {
    engine.close();
  }
}
