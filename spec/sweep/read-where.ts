/**
 * The `where` list of one space: each entry parsed, its names looked up, and all together tried on samples, so that
 * constraints nothing satisfies are found before anything runs.
 */
import { paramsFrom } from "../../search/space/active.ts";
import { fromUnit } from "../../search/space/axis.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import { satisfies, type Constraint } from "../../protocol/constraint.ts";
import { suggestion } from "../../protocol/name.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { parseConstraint } from "./parse-constraint.ts";
import { report, type SpaceReading } from "./read-distribution.ts";

/** Enough to meet a constraint that one draw in a thousand satisfies, all but surely. */
const samples = 10_000;

/** `owner` is said where a name is unknown, as in "model linear". */
export function readWhere(
  reading: SpaceReading,
  field: Path,
  raw: unknown,
  space: Space,
  owner: string,
): Constraint[] {
  if (raw === undefined || raw === null) return [];
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const before = reading.problems.length;
  const constraints: Constraint[] = [];
  for (const [index, entry] of list.entries()) {
    const at = Array.isArray(raw) ? [...field, index] : field;
    if (typeof entry !== "string") {
      report(reading, at, `should be text such as "layers * width <= 512", not ${describe(entry)}`);
      continue;
    }
    const parsed = parseConstraint(entry);
    if (!parsed.ok) {
      report(reading, at, `"${entry}", column ${parsed.column}: ${parsed.message}`);
      continue;
    }
    for (const fault of nameFaults(parsed.constraint, space, owner)) report(reading, at, fault);
    constraints.push(parsed.constraint);
  }
  if (reading.problems.length === before) reportUnsatisfied(reading, field, space, constraints);
  return constraints;
}

function nameFaults({ terms }: Constraint, space: Space, owner: string): string[] {
  const names = new Set(terms.flatMap(({ parameters }) => parameters));
  return [...names].flatMap((name) => {
    const distribution = Object.hasOwn(space, name) ? space[name] : undefined;
    if (distribution === undefined) {
      const hint = suggestion(name, Object.keys(space));
      return [`${owner} searches no parameter "${name}", ${hint}`];
    }
    const wrong = wordsOf(distribution);
    return wrong === null ? [] : [`${name} can be ${describe(wrong)}, which is no number to calculate with`];
  });
}

/** A value that is no number, if there is one. */
function wordsOf(distribution: Distribution): string | boolean | null {
  const values =
    distribution.distribution === "constant"
      ? [distribution.value]
      : distribution.distribution === "choice"
        ? distribution.values
        : [];
  return values.find((value) => typeof value !== "number") ?? null;
}

function reportUnsatisfied(
  reading: SpaceReading,
  field: Path,
  space: Space,
  constraints: readonly Constraint[],
): void {
  if (constraints.length === 0) return;
  const alone = constraints.map(() => 0);
  for (let position = 0; position < samples; position++) {
    const random = randomStream(0, "where", position);
    const params = paramsFrom(space, (_, distribution) => fromUnit(distribution, random.next()));
    let together = true;
    for (const [index, constraint] of constraints.entries()) {
      // Where one of its parameters is inactive it says nothing, which counts as holding.
      if (satisfies(constraint, params)) alone[index] = (alone[index] ?? 0) + 1;
      else together = false;
    }
    if (together) return;
  }
  const least = Math.min(...alone);
  const tightest = constraints[alone.indexOf(least)];
  if (tightest === undefined) return;
  const how =
    least === 0
      ? "never holds"
      : `is the tightest (it holds alone in ${least} of them), but never together with the others`;
  report(
    reading,
    field,
    `nothing satisfies ${constraints.length === 1 ? "this constraint" : "these constraints"}: of ${samples} samples of the space none does; "${tightest.text}" ${how}`,
  );
}
