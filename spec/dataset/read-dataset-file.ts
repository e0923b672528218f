/**
 * From the text of a dataset file to its declaration, with every problem of the file at once, each with its line. Opens
 * no data; only files with labels, which are part of the plan.
 */
import {
  declarationSchema,
  planFault,
  type Declaration,
  type Form,
} from "../../data/declaration/declaration.ts";
import { sourceSchema, sourceSchemas, type Source } from "../../data/declaration/source.ts";
import { expectationsSchema } from "../../data/expectation/declared.ts";
import type { Expectation } from "../../data/expectation/expectation.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import { parseYaml, type LocatedYaml, type Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";
import { datasetFileSchema, formatByExtension, type DatasetFile } from "./dataset-file-shape.ts";
import { filePath, type PathReading } from "./file-path.ts";
import { readStep, type StepReading } from "./read-step.ts";

export interface DatasetFileInput extends PathReading {
  readonly text: string;
}

export type DatasetFileResult =
  | { readonly ok: true; readonly declaration: Declaration; readonly expect: readonly Expectation[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readDatasetFile(input: DatasetFileInput): DatasetFileResult {
  const parsed = parseYaml(input.text);
  return parsed.ok ? readDatasetYaml(input, parsed.yaml) : parsed;
}

/** The same for a file whose text has been parsed. */
export function readDatasetYaml(input: PathReading, yaml: LocatedYaml): DatasetFileResult {
  const problems: Problem[] = [];
  const reading: StepReading = { ...input, yaml, problems };
  if (yaml.value === null || typeof yaml.value !== "object" || Array.isArray(yaml.value)) {
    problems.push({
      line: 1,
      field: [],
      message: "a dataset file is a mapping with name, sources, plan, and text and label or a target",
    });
    return { ok: false, problems };
  }
  const file = parseAt(datasetFileSchema, yaml.value, yaml, [], problems);
  const raw = entriesOf(yaml.value);
  const sources = listOf(raw.get("sources")).map((value, index) => readSource(reading, index, value));
  const plan = listOf(raw.get("plan")).map((value, index) => readStep(reading, index, value));
  const expect =
    raw.get("expect") === undefined
      ? []
      : parseAt(expectationsSchema, raw.get("expect"), yaml, ["expect"], problems);
  const form = file === null ? null : readForm(reading, file);
  if (file === null || form === null || expect === null || problems.length > 0)
    return { ok: false, problems };
  const declaration = parseAt(
    declarationSchema,
    { name: file.name, sources, plan, form, badRows: file.badRows },
    yaml,
    [],
    problems,
  );
  if (declaration === null) return { ok: false, problems };
  const fault = planFault(declaration);
  if (fault === null) return { ok: true, declaration, expect };
  tell(reading, ["plan", fault.index], fault.message);
  return { ok: false, problems };
}

function readSource(reading: StepReading, index: number, value: unknown): Source | null {
  const at = ["sources", index];
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    tell(reading, at, `should be a mapping with path and format, not ${describe(value)}`);
    return null;
  }
  const fields = entriesOf(value);
  const given = fields.get("path");
  const path = typeof given === "string" ? filePath(reading, given) : null;
  if (path?.ok === false) {
    tell(reading, [...at, "path"], path.message);
    return null;
  }
  const format = fields.get("format") ?? (path === null ? undefined : formatOf(path.path));
  if (format === undefined && path !== null) {
    tell(
      reading,
      [...at, "format"],
      `is missing, and ${path.path} does not tell it; it should be one of ${Object.keys(sourceSchemas).join(", ")}`,
    );
    return null;
  }
  const cacheGiven = fields.get("cache");
  const cache = typeof cacheGiven === "string" ? filePath(reading, cacheGiven) : null;
  if (cache?.ok === false) {
    tell(reading, [...at, "cache"], cache.message);
    return null;
  }
  const full = {
    ...value,
    format,
    ...(path === null ? {} : { path: path.path }),
    ...(cache === null ? {} : { cache: cache.path }),
  };
  return parseAt(sourceSchema, full, reading.yaml, at, reading.problems);
}

function formatOf(path: string): string | undefined {
  const name = path.replace(/\.dvc$/u, "");
  return formatByExtension[/\.([A-Za-z0-9]+)$/u.exec(name)?.[1]?.toLowerCase() ?? ""];
}

function readForm(reading: StepReading, file: DatasetFile): Form | null {
  const { text, label, target, task, features } = file;
  if (target !== undefined) {
    for (const field of ["text", "label"] as const) {
      if (file[field] !== undefined) {
        tell(
          reading,
          [field],
          `a dataset has text and label, or a target; this one has the target "${target}" already`,
        );
        return null;
      }
    }
    return { kind: "table", target, task: task ?? "auto", features: features ?? null };
  }
  for (const field of ["task", "features"] as const) {
    if (file[field] !== undefined) {
      tell(reading, [field], "is for tables, which have a target");
      return null;
    }
  }
  if (text !== undefined && label !== undefined) return { kind: "text", text, label };
  if (text === undefined && label === undefined)
    tell(reading, [], "say which columns training reads: text and label, or target");
  else
    tell(
      reading,
      [],
      `${text === undefined ? "text" : "label"} is missing; text and label are needed together`,
    );
  return null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function tell(reading: StepReading, field: Path, message: string): void {
  reading.problems.push({ line: reading.yaml.lineOf(field), field, message });
}
