/**
 * Features that only their scaling makes larger than a version can hold: fitted on the training split, which may vary by
 * less than the other splits lie away from it. Values that are too large as they came are rejected rows before this.
 */
import type { Engine } from "../engine/sql-engine.ts";
import { id } from "../engine/sql.ts";
import type { FrozenFeature } from "../manifest/feature.ts";
import { namesOf } from "../manifest/feature.ts";
import type { LoadedSource } from "../source/load-source.ts";
import { numberMost, numberMostText } from "./column-number.ts";

/** A sentence on the first such value, or null. `sql` gives each feature's numbers, in the order of `namesOf`. */
export async function largeFeature(
  engine: Engine,
  sources: readonly LoadedSource[],
  relation: string,
  features: readonly FrozenFeature[],
  sql: readonly string[],
): Promise<string | null> {
  let at = 0;
  const grown: { readonly column: string; readonly value: string }[] = [];
  for (const feature of features) {
    const value = sql[at] ?? "0";
    if (feature.kind === "numeric" && Math.abs(feature.factor) > 1)
      grown.push({ column: feature.column, value });
    at += namesOf(feature).length;
  }
  if (grown.length === 0) return null;
  const most = grown.map(({ value }) => `max(abs(${value}))`);
  const [row = []] = await engine.rows(`SELECT ${most.join(", ")} FROM ${relation}`);
  const found = grown.find((_, index) => Number(row[index] ?? 0) > numberMost);
  if (found === undefined) return null;
  const { column, value } = found;
  const [[file, line, came] = []] = await engine.rows(
    `SELECT __file, __line, CAST(${id(column)} AS VARCHAR) FROM ${relation} WHERE abs(${value}) > ${numberMost} ORDER BY 1, 2 LIMIT 1`,
  );
  return `${sources[Number(file)]?.path ?? ""}, line ${Number(line)}, column ${column}, ${JSON.stringify(came)}: scaled by what the training split is like it is larger than a feature may be (${numberMostText}); leave such rows out with filter, or say scale: none for the column`;
}
