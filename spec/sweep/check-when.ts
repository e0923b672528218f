/**
 * Conditions between parameters of one space: each must name another parameter that is there, ask for something it can
 * be, and not come back to where it started.
 */
import { levels, listed } from "../../search/space/axis.ts";
import type { Condition } from "../../protocol/condition.ts";
import { nearestName, suggestion } from "../../protocol/name.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import type { Value } from "../../protocol/value.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { report, type SpaceReading } from "./read-distribution.ts";

/** `base` is where the space stands in the file. */
export function checkWhen(reading: SpaceReading, base: Path, space: Space): void {
  for (const [name, { when }] of Object.entries(space)) {
    for (const [parent, condition] of Object.entries(when ?? {})) {
      const field = [...base, name, "when", parent];
      const of = Object.hasOwn(space, parent) ? space[parent] : undefined;
      if (parent === name) report(reading, field, `${name} cannot depend on itself`);
      else if (of === undefined) {
        const others = Object.keys(space).filter((other) => other !== name);
        report(reading, field, `there is no parameter "${parent}" here, ${suggestion(parent, others)}`);
      } else {
        const fault = conditionFault(parent, of, condition);
        if (fault !== null) report(reading, field, fault);
      }
    }
  }
  const cycle = cycleIn(space);
  const [first] = cycle;
  if (first !== undefined)
    report(reading, [...base, first, "when"], `the conditions run in a circle: ${cycle.join(" needs ")}`);
}

function conditionFault(parent: string, of: Distribution, condition: Condition): string | null {
  if (Array.isArray(condition)) return valuesFault(parent, of, condition);
  if (typeof condition !== "object") return valuesFault(parent, of, [condition]);
  if ("not" in condition) {
    const excluded = Array.isArray(condition.not) ? condition.not : [condition.not];
    const values = fewValues(of);
    if (values !== null && values.every((value) => excluded.includes(value)))
      return `${parent} is never anything else, so this can never hold`;
    return valuesFault(parent, of, excluded);
  }
  const { max = Infinity, min = -Infinity } = condition;
  const values = fewValues(of);
  if (values !== null) {
    if (values.some((value) => typeof value === "number" && value >= min && value <= max)) return null;
    return `${parent} is never in this range; it can be ${values.slice(0, shownMax).map(describe).join(", ")}`;
  }
  const [low, high] = endsOf(of);
  return high < min || low > max ? `${parent} is never in this range; it goes from ${low} to ${high}` : null;
}

const shownMax = 8;
const listedMax = 1_000;

/** The values of a parameter that takes few; null for a range. */
function fewValues(distribution: Distribution): readonly Value[] | null {
  const count = levels(distribution);
  return count !== null && count <= listedMax ? listed(distribution) : null;
}

/** A value that the parent never takes is a slip, whether it is asked for or excluded. */
function valuesFault(parent: string, of: Distribution, wanted: readonly Value[]): string | null {
  const values = fewValues(of);
  if (values !== null) {
    const wrong = wanted.find((value) => !values.includes(value));
    if (wrong === undefined) return null;
    const nearest =
      typeof wrong === "string"
        ? nearestName(
            wrong,
            values.filter((value) => typeof value === "string"),
          )
        : null;
    const hint =
      nearest === null
        ? `it can be ${values.slice(0, shownMax).map(describe).join(", ")}`
        : `did you mean "${nearest}"?`;
    return `${parent} is never ${describe(wrong)}, ${hint}`;
  }
  const [low, high] = endsOf(of);
  const wrong = wanted.find((value) => typeof value !== "number" || value < low || value > high);
  if (wrong !== undefined)
    return `${parent} is never ${describe(wrong)}; it is a number from ${low} to ${high}`;
  if (levels(of) !== null) return null;
  return `${parent} is ${of.distribution} and meets a single value only by chance; give a range such as {min: ${low}}`;
}

function endsOf(distribution: Distribution): readonly [number, number] {
  if ("min" in distribution) return [distribution.min, distribution.max];
  if (distribution.distribution === "beta") return [0, 1];
  return distribution.distribution === "log-normal" ? [0, Infinity] : [-Infinity, Infinity];
}

/** The parameters of one cycle, the first named again at its end; empty where there is none. */
function cycleIn(space: Space): readonly string[] {
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): readonly string[] => {
    const before = path.indexOf(name);
    if (before >= 0) return [...path.slice(before), name];
    if (done.has(name)) return [];
    for (const parent of Object.keys(space[name]?.when ?? {})) {
      if (parent === name || !Object.hasOwn(space, parent)) continue; // reported already
      const found = walk(parent, [...path, name]);
      if (found.length > 0) return found;
    }
    done.add(name);
    return [];
  };
  for (const name of Object.keys(space)) {
    const found = walk(name, []);
    if (found.length > 0) return found;
  }
  return [];
}
