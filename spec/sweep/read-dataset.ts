/**
 * One dataset of the sweep file: the name of one that comes with trialmesh or that the mesh has on record, a dataset
 * file, or files with labelled lines given right here. Finds files and checks that they are there; reading them is the
 * business of `data/`.
 */
import { readFileSync, statSync } from "node:fs";
import type { Declaration } from "../../data/declaration/declaration.ts";
import { embeddedDatasetNames, type DatasetDeclaration } from "../../data/declaration/shorthand.ts";
import type { Expectation } from "../../data/expectation/expectation.ts";
import { nameSchema } from "../../protocol/name.ts";
import { filePath } from "../dataset/file-path.ts";
import { readDatasetFile } from "../dataset/read-dataset-file.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import { formatProblem, type Problem } from "../yaml/problem.ts";
import { datasetShape } from "./sweep-file-shape.ts";

/** What a sweep file asks for; the artifact it stands for is found by `client/dataset/resolve-dataset.ts`. */
export type WantedDataset =
  | {
      readonly kind: "inline";
      readonly name: string;
      readonly given: DatasetDeclaration;
    }
  | {
      readonly kind: "file";
      readonly name: string;
      /** As it stands in the sweep file. */
      readonly written: string;
      readonly declaration: Declaration;
      readonly expect: readonly Expectation[];
    }
  /** On record in the mesh; `version` null is the newest. */
  | { readonly kind: "named"; readonly name: string; readonly version: number | null };

export interface DatasetReading {
  /** Path of the sweep file; relative paths in it start from its folder. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly yaml: LocatedYaml;
  readonly problems: Problem[];
}

const fileFields = ["train", "dev", "test"] as const;
const datasetFile = /\.ya?ml$/iu;

/** What is wanted, or null with the problems reported; `base` is where it stands in the file. */
export function readDataset(reading: DatasetReading, base: Path, value: unknown): WantedDataset | null {
  if (typeof value === "string")
    return datasetFile.test(value) ? fromFile(reading, base, value) : byName(reading, base, value);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    report(
      reading,
      base,
      `should be a dataset's name (${embeddedDatasetNames.join(", ")}, or one that the mesh has), the path of a dataset file, or a mapping with name, format and train, not ${describe(value)}`,
    );
    return null;
  }
  const shape = parseAt(datasetShape, value, reading.yaml, base, reading.problems);
  if (shape === null) return null;
  const paths: Partial<Record<(typeof fileFields)[number], string>> = {};
  let whole = true;
  for (const field of fileFields) {
    const given = shape[field];
    if (given === undefined) continue;
    const path = findFile(reading, [...base, field], given);
    if (path === null) whole = false;
    else paths[field] = path;
  }
  if (!whole || paths.train === undefined) return null;
  const labels = Object.entries(shape.labels ?? {}).map(([raw, name]): [string, string] => [
    raw,
    String(name),
  ]);
  return inline({
    format: shape.format,
    name: shape.name,
    train: paths.train,
    dev: paths.dev,
    test: paths.test,
    labels: shape.labels === undefined ? undefined : Object.fromEntries(labels),
  });
}

function inline(given: DatasetDeclaration): WantedDataset {
  return { kind: "inline", name: given.name, given };
}

/** `NAME`, `NAME@VERSION`; whether the mesh has it is asked when the sweep is launched. */
function byName(reading: DatasetReading, base: Path, text: string): WantedDataset | null {
  if (embeddedDatasetNames.some((name) => name === text)) return inline({ format: "embedded", name: text });
  const named = namedDataset(text);
  if (named === null)
    report(
      reading,
      base,
      `${describe(text)} is no dataset's name; it should be a name, NAME@VERSION, or the path of a dataset file that ends in .yaml`,
    );
  return named;
}

/** `reviews` or `reviews@3`; null where it is no name. */
export function namedDataset(text: string): Extract<WantedDataset, { kind: "named" }> | null {
  const found = /^([^@]+)(?:@([1-9]\d{0,8}))?$/u.exec(text);
  const name = nameSchema.safeParse(found?.[1]);
  if (!name.success) return null;
  return { kind: "named", name: name.data, version: found?.[2] === undefined ? null : Number(found[2]) };
}

function fromFile(reading: DatasetReading, base: Path, written: string): WantedDataset | null {
  const path = findFile(reading, base, written);
  if (path === null) return null;
  const { environment } = reading;
  const read = readDatasetFile({ file: path, environment, text: readFileSync(path, "utf8") });
  if (read.ok) {
    const { declaration, expect } = read;
    return { kind: "file", name: declaration.name, written, declaration, expect };
  }
  for (const problem of read.problems) report(reading, base, formatProblem(path, problem));
  return null;
}

function findFile(reading: DatasetReading, field: Path, given: string): string | null {
  const expanded = filePath(reading, given);
  if (!expanded.ok) {
    report(reading, field, expanded.message);
    return null;
  }
  const { path } = expanded;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return path;
  report(reading, field, found === undefined ? `there is no file ${path}` : `${path} is not a file`);
  return null;
}

function report(reading: DatasetReading, field: Path, message: string): void {
  reading.problems.push({ line: reading.yaml.lineOf(field), field, message });
}
