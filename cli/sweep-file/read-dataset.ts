/**
 * One dataset of the file: the name of one that comes with trialmesh, or files on this machine.
 * Finds the files and checks that they are there; reading them is the business of `data/`.
 */
import { statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { embeddedDatasetNames, type DatasetDeclaration } from "../../data/load.ts";
import { suggestion } from "../../protocol/name.ts";
import { describe, parseAt } from "./explain-issue.ts";
import type { LocatedYaml, Path } from "./located-yaml.ts";
import type { Problem } from "./problem.ts";
import { datasetShape } from "./shape.ts";

export interface DatasetReading {
  /** Path of the sweep file; relative paths in it start from its folder. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly yaml: LocatedYaml;
  readonly problems: Problem[];
}

const fileFields = ["train", "dev", "test"] as const;

/** What the data room can load, or null with the problems told; `base` is where it stands in the file. */
export function readDataset(reading: DatasetReading, base: Path, value: unknown): DatasetDeclaration | null {
  if (typeof value === "string") {
    const known: readonly string[] = embeddedDatasetNames;
    if (known.includes(value)) return { format: "embedded", name: value };
    report(reading, base, `no dataset called "${value}" comes with trialmesh, ${suggestion(value, known)}`);
    return null;
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    report(
      reading,
      base,
      `should be a dataset's name (${embeddedDatasetNames.join(", ")}) or a mapping with name, format and train, not ${describe(value)}`,
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
  return {
    format: shape.format,
    name: shape.name,
    train: paths.train,
    dev: paths.dev,
    test: paths.test,
    labels: shape.labels === undefined ? undefined : Object.fromEntries(labels),
  };
}

function findFile(reading: DatasetReading, field: Path, given: string): string | null {
  const unset = new Set<string>();
  const expanded = given.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = reading.environment[name];
    if (value === undefined || value === "") unset.add(name);
    return value ?? "";
  });
  for (const name of unset) {
    report(
      reading,
      field,
      `${name} is not set; set it to the folder that holds the data, as in ${name}=/path/to/data`,
    );
  }
  if (unset.size > 0) return null;
  const path = isAbsolute(expanded) ? expanded : resolve(dirname(reading.file), expanded);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return path;
  report(reading, field, found === undefined ? `there is no file ${path}` : `${path} is not a file`);
  return null;
}

function report(reading: DatasetReading, field: Path, message: string): void {
  reading.problems.push({ line: reading.yaml.lineOf(field), field, message });
}
