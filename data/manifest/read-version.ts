/**
 * A dataset version into memory, as training reads it. Column by column, no object per row but the examples themselves.
 * Whether the bytes are those of their digest is for whoever fetched them to check.
 */
import type { DuckDBDataChunk, DuckDBResult } from "@duckdb/node-api";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { id, lit } from "../engine/sql.ts";
import type { Dataset, Example, TableRows } from "../row/dataset-rows.ts";
import { namesOf } from "./feature.ts";
import type { Manifest } from "./manifest.ts";
import { readManifest } from "./read-manifest.ts";

export async function readVersion(path: string): Promise<Outcome<Dataset>> {
  const manifest = await readManifest(path);
  if (!manifest.ok) return manifest;
  const api = await import("@duckdb/node-api");
  const instance = await api.DuckDBInstance.create(":memory:", {
    threads: "1", // rows come in the order of the file
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  try {
    const connection = await instance.connect();
    const { form } = manifest.value.declaration;
    const names =
      form.kind === "text"
        ? ["text", "label"]
        : [...(manifest.value.features ?? []).flatMap(namesOf), form.target];
    const result = await connection.stream(
      `SELECT ${names.map(id).join(", ")} FROM read_parquet(${lit(path)})`,
    );
    return form.kind === "text"
      ? await readText(result, manifest.value, path)
      : await readTable(result, manifest.value, form.target, path);
  } catch (error) {
    const why = errorSentence(error);
    return refuse("invalid", `${path} is damaged: ${why}; fetch or build it again`);
  } finally {
    instance.closeSync();
  }
}

async function readText(result: DuckDBResult, manifest: Manifest, path: string): Promise<Outcome<Dataset>> {
  const labels = manifest.labels ?? [];
  const examples: Example[] = [];
  for await (const chunk of chunksOf(result)) {
    const texts = chunk.getColumnValues(0);
    const numbers = chunk.getColumnValues(1);
    for (let row = 0; row < chunk.rowCount; row++) {
      const [text, label] = [texts[row], numbers[row]];
      if (typeof text !== "string" || typeof label !== "number" || label < 0 || label >= labels.length)
        return refuse(
          "invalid",
          `${path}: row ${examples.length + 1} is no text with a label of 0 to ${labels.length - 1}; build it again`,
        );
      examples.push({ text, label });
    }
  }
  const { train, validation, test } = manifest.rows;
  if (examples.length !== train + validation + test) return wrongCount(path, examples.length, manifest);
  return accept({
    kind: "text",
    name: manifest.name,
    labels,
    train: examples.slice(0, train),
    validation: examples.slice(train, train + validation),
    test: examples.slice(train + validation),
  });
}

async function readTable(
  result: DuckDBResult,
  manifest: Manifest,
  target: string,
  path: string,
): Promise<Outcome<Dataset>> {
  const features = (manifest.features ?? []).flatMap(namesOf);
  const width = features.length;
  const { train, validation, test } = manifest.rows;
  const total = train + validation + test;
  const values = new Float32Array(total * width);
  const targets = new Float32Array(total);
  let from = 0;
  for await (const chunk of chunksOf(result)) {
    if (from + chunk.rowCount > total) return wrongCount(path, from + chunk.rowCount, manifest);
    for (let column = 0; column < width; column++) {
      const numbers = chunk.getColumnValues(column);
      for (let row = 0; row < chunk.rowCount; row++)
        values[(from + row) * width + column] = Number(numbers[row]);
    }
    const numbers = chunk.getColumnValues(width);
    for (let row = 0; row < chunk.rowCount; row++) targets[from + row] = Number(numbers[row]);
    from += chunk.rowCount;
  }
  if (from !== total) return wrongCount(path, from, manifest);
  const rows = (start: number, count: number): TableRows => ({
    count,
    features: values.subarray(start * width, (start + count) * width),
    target: targets.subarray(start, start + count),
  });
  return accept({
    kind: "table",
    name: manifest.name,
    features,
    target,
    labels: manifest.labels,
    train: rows(0, train),
    validation: rows(train, validation),
    test: rows(train + validation, test),
  });
}

async function* chunksOf(result: DuckDBResult): AsyncGenerator<DuckDBDataChunk> {
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  )
    yield chunk;
}

function wrongCount(path: string, found: number, { rows }: Manifest): Outcome<never> {
  return refuse(
    "invalid",
    `${path} has ${found} rows and says it has ${rows.train + rows.validation + rows.test}; build it again`,
  );
}
