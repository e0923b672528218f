/**
 * One parameter's distribution as people write it: a plain value is a constant, a list a choice, a mapping a
 * distribution, each with an optional `when`. What a model allows its parameters is not asked here.
 */
import { conditionSchema, type When } from "../../protocol/condition.ts";
import { distributionNames, distributionSchema, type Distribution } from "../../protocol/space.ts";
import { valueSchema, type Value } from "../../protocol/value.ts";
import { levels } from "../../search/space/axis.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";

export interface SpaceReading {
  readonly yaml: LocatedYaml;
  /** The search's method as it stands in the file, known or not. */
  readonly method: string | null;
  readonly problems: Problem[];
}

export function readDistribution(reading: SpaceReading, field: Path, raw: unknown): Distribution | null {
  const plain = valueSchema.safeParse(raw);
  if (plain.success) return { distribution: "constant", value: plain.data };
  if (Array.isArray(raw)) return readChoice(reading, field, raw);
  if (raw === null || typeof raw !== "object") {
    report(
      reading,
      field,
      `should be a value, a list of values, or a distribution (${distributionNames.join(", ")}), not ${describe(raw)}`,
    );
    return null;
  }
  const entries = entriesOf(raw);
  const when = readWhen(reading, field, entries.get("when"));
  const rest = Object.fromEntries([...entries].filter(([key]) => key !== "when"));
  if (!entries.has("distribution")) {
    // The two that leave no doubt may go without their name.
    if (entries.has("value")) rest["distribution"] = "constant";
    else if (entries.has("values")) rest["distribution"] = "choice";
    else {
      report(reading, field, `needs a key "distribution": one of ${distributionNames.join(", ")}`);
      return null;
    }
  }
  const distribution = parseAt(distributionSchema, rest, reading.yaml, field, reading.problems);
  return distribution === null || when === undefined ? distribution : { ...distribution, when };
}

function readChoice(reading: SpaceReading, field: Path, raw: readonly unknown[]): Distribution | null {
  const values: Value[] = [];
  for (const [index, value] of raw.entries()) {
    const parsed = valueSchema.safeParse(value);
    if (parsed.success) values.push(parsed.data);
    else {
      report(reading, [...field, index], `should be a number, text, true or false, not ${describe(value)}`);
      return null;
    }
  }
  if (values.length > 0) return { distribution: "choice", values };
  report(reading, field, "an empty list gives nothing to choose from");
  return null;
}

function readWhen(reading: SpaceReading, field: Path, raw: unknown): When | undefined {
  if (raw === undefined) return undefined;
  const base = [...field, "when"];
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) {
    report(
      reading,
      base,
      `should be a mapping from other parameters to what they must be, as in {optimizer: sgd}, not ${describe(raw)}`,
    );
    return undefined;
  }
  const when = new Map<string, When[string]>();
  for (const [name, condition] of Object.entries(raw)) {
    const parsed = conditionSchema.safeParse(condition);
    if (parsed.success) when.set(name, parsed.data);
    else report(reading, [...base, name], conditionFault(condition));
  }
  return Object.fromEntries(when);
}

function conditionFault(condition: unknown): string {
  const { max, min } = Object.fromEntries(entriesOf(condition));
  if (typeof min === "number" && typeof max === "number" && min > max)
    return `min ${min} is above max ${max}`;
  return `${describe(condition)} is no condition; give a value, a list of values, {min: 1, max: 3}, or {not: sgd}`;
}

/** A grid walks finitely many values: constants, choices, whole numbers, and ranges with a step. Null: it can. */
export function gridFault(method: string | null, distribution: Distribution): string | null {
  if (method !== "grid" || levels(distribution) !== null) return null;
  return distribution.distribution === "uniform"
    ? "a grid needs a step here, or a list of values"
    : `a grid cannot walk a ${distribution.distribution} range; give a list of values`;
}

export function report(reading: Pick<SpaceReading, "yaml" | "problems">, field: Path, message: string): void {
  reading.problems.push({ line: reading.yaml.lineOf(field), field, message });
}
