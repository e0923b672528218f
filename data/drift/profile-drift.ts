/**
 * SERVE-19. Drift between two profiles by their sketches alone, where the rows are gone: the same tests and figures as of two data sets, of numbers as
 * exact as the sketches are. Columns are compared by name; of texts only what a profile keeps of them.
 */
import type { ColumnProfile, ColumnSketch, Profile } from "../profile/profile.ts";
import { Kll, type KllJson } from "../sketch/kll.ts";
import {
  categoryDrift,
  numberDrift,
  type CategoryColumn,
  type ColumnDrift,
  type NumberColumn,
} from "./column-drift.ts";

/** Of more values so many stand for all, at even ranks. */
const valuesMost = 20_000;
/** What stands for values that a sketch no longer counts one by one. */
const others = "(others)";

/** `a` is the reference. A column at a time, in its order; those that only one has are left out. */
export function* profileDrift(a: Profile, b: Profile): Generator<ColumnDrift> {
  for (const column of a.columns) {
    const other = b.columns.find(({ name }) => name === column.name);
    const [inA, inB] = [a.sketches.columns[column.name], b.sketches.columns[column.name]];
    if (other === undefined || inA === undefined || inB === undefined) continue;
    if (column.kind === "number" && other.kind === "number")
      yield numberDrift(column.name, numbersOf(column, inA), numbersOf(other, inB));
    if (column.kind === "text" && other.kind === "text")
      yield categoryDrift(column.name, countsOf(column, inA), countsOf(other, inB));
  }
}

function numbersOf(column: Extract<ColumnProfile, { kind: "number" }>, sketch: ColumnSketch): NumberColumn {
  const { values } = sketch.quantiles;
  const missing = column.missing + column.notFinite;
  return { kind: "number", missing, values: values === undefined ? new Float64Array() : spread(values) };
}

/** Each kept value as often as it counts. */
function spread(json: KllJson): Float64Array {
  const { values, weights } = Kll.from(json).weighted();
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const count = Math.min(all, valuesMost);
  const spreadOut = new Float64Array(count);
  let at = 0;
  let below = weights[0] ?? 0;
  for (let index = 0; index < count; index++) {
    const rank = ((index + 0.5) * all) / count;
    while (at < values.length - 1 && below < rank) below += weights[++at] ?? 0;
    spreadOut[index] = values[at] ?? 0;
  }
  return spreadOut;
}

function countsOf({ missing, rows }: ColumnProfile, { frequent }: ColumnSketch): CategoryColumn {
  const counts = new Map(frequent.items.map(([value, count]) => [String(value), count]));
  const counted = frequent.items.reduce((sum, [, count]) => sum + count, 0);
  const rest = rows - missing - counted;
  if (rest > 0) counts.set(others, (counts.get(others) ?? 0) + rest);
  return { kind: "category", counts, missing };
}
