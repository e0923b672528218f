/**
 * One step of a plan as it is written, `name: {…}`, to the step as it is run. Short forms are spelled out here, and the
 * labels of `map-label` are read from their file.
 */
import { readFileSync } from "node:fs";
import type * as z from "zod";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { systemCode } from "../../system/system-error.ts";
import { stepNames, stepSchemas, type Step } from "../../data/declaration/plan-step.ts";
import { suggestion } from "../../protocol/name.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";
import { filePath, type PathReading } from "./file-path.ts";

export interface StepReading extends PathReading {
  readonly yaml: LocatedYaml;
  readonly problems: Problem[];
}

const schemas: ReadonlyMap<string, z.ZodType<Step>> = new Map(Object.entries(stepSchemas));
const splits = ["train", "validation", "test"] as const;

/** The step at `plan[index]`, or null with the problems reported. */
export function readStep(reading: StepReading, index: number, value: unknown): Step | null {
  const at = ["plan", index];
  const entries = [...entriesOf(value)];
  const [only] = entries;
  if (only === undefined || entries.length !== 1 || Array.isArray(value)) {
    tell(
      reading,
      at,
      `should be one step, such as filter: {where: "length(text) > 10"}, not ${only === undefined ? describe(value) : `${entries.length} keys`}`,
    );
    return null;
  }
  const [name, body] = only;
  const schema = schemas.get(name);
  const base = [...at, name];
  if (schema === undefined) {
    tell(reading, base, `no step is called "${name}"; ${suggestion(name, stepNames)}`);
    return null;
  }
  const full = spelledOut(reading, base, name, body);
  return full === null
    ? null
    : parseAt(schema, { ...full, step: name }, reading.yaml, base, reading.problems);
}

function spelledOut(
  reading: StepReading,
  base: Path,
  name: string,
  body: unknown,
): Record<string, unknown> | null {
  if (name === "filter" && typeof body === "string") return { where: body };
  if (body === null && (name === "split" || name === "features")) return {};
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    tell(reading, base, `should be a mapping, not ${describe(body)}`);
    return null;
  }
  const fields: Record<string, unknown> = { ...body };
  switch (name) {
    case "rename":
    case "cast":
      return { columns: fields };
    case "map-label":
      return withMap(reading, base, fields);
    case "split": {
      // A share that is left out where others are given is none; for train, what the others leave.
      if (!splits.some((split) => fields[split] !== undefined)) return fields;
      const shareOf = (split: string) => (typeof fields[split] === "number" ? fields[split] : 0);
      const rest = 1 - shareOf("validation") - shareOf("test");
      return { train: Math.round(rest * 1e12) / 1e12, validation: 0, test: 0, ...fields };
    }
    default:
      return fields;
  }
}

/** `from` is a mapping, or the path of a file with one label per line, numbered from `first` (usually 1). */
function withMap(
  reading: StepReading,
  base: Path,
  fields: Record<string, unknown>,
): Record<string, unknown> | null {
  const { from, first = 1, ...rest } = fields;
  if (typeof from === "object" && from !== null && !Array.isArray(from)) {
    if (fields["first"] !== undefined)
      tell(reading, [...base, "first"], "is for labels from a file; this map names its values");
    return { ...rest, map: Object.entries(from).map(([raw, label]) => [raw, String(label)]) };
  }
  if (typeof from !== "string") {
    tell(
      reading,
      [...base, "from"],
      from === undefined
        ? "is missing; it should be a mapping from values to labels, or the path of a file with one label per line"
        : `should be a mapping or a path, not ${describe(from)}`,
    );
    return null;
  }
  if (!Number.isInteger(first)) {
    tell(
      reading,
      [...base, "first"],
      `should be a whole number, the value of the first line's label, not ${describe(first)}`,
    );
    return null;
  }
  const path = filePath(reading, from);
  if (!path.ok) {
    tell(reading, [...base, "from"], path.message);
    return null;
  }
  let text: string;
  try {
    text = readFileSync(path.path, "utf8");
  } catch (error) {
    const code = systemCode(error) ?? errorSentence(error);
    tell(
      reading,
      [...base, "from"],
      `${path.path} cannot be read (${code}); it should be a file with one label per line`,
    );
    return null;
  }
  const labels = text
    .replace(/^\uFEFF/u, "")
    .split(/\r?\n/u)
    .map((line) => line.trim());
  while (labels.at(-1) === "") labels.pop();
  return { ...rest, map: labels.map((label, line) => [String(Number(first) + line), label]) };
}

function tell(reading: StepReading, field: Path, message: string): void {
  reading.problems.push({ line: reading.yaml.lineOf(field), field, message });
}
