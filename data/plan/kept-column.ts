/**
 * Which columns of a table a version keeps as they came: those of which training reads something else, so that a profile
 * shows the data and not what was made of it. A plain number without gaps is the same in both, and kept once.
 */
import type { Engine } from "../engine/sql-engine.ts";
import { id } from "../engine/sql.ts";
import type { FrozenFeature } from "../manifest/feature.ts";
import type { Column } from "./compile-step.ts";
import { isMoment } from "./column-number.ts";
import type { Planned } from "./run-plan.ts";

/** Single precision holds whole numbers up to here. */
const wholeMost = 2 ** 24;

/** `target`: a target that is a number to predict; null for labels. */
export async function keptColumns(
  engine: Engine,
  { columns, features, relation }: Planned,
  frozen: readonly FrozenFeature[],
  target: string | null,
): Promise<readonly Column[]> {
  const byName = new Map(frozen.map((feature) => [feature.column, feature]));
  const isPlain = (column: Column) => {
    const feature = byName.get(column.name);
    return (
      feature?.kind === "numeric" &&
      feature.scale === "none" &&
      !isMoment(column) &&
      column.type !== "BOOLEAN"
    );
  };
  const plain = features.filter(isPlain);
  const changed = new Set(features.filter((column) => !isPlain(column)).map(({ name }) => name));
  if (plain.length > 0) {
    const same = plain.map(({ name, type }) => {
      const value = id(name);
      const small =
        type === "DOUBLE" || type === "FLOAT" ? `isfinite(${value})` : `abs(${value}) <= ${wholeMost}`;
      return `count(*) FILTER (WHERE ${small})`;
    });
    const [[rows, ...counts] = []] = await engine.rows(
      `SELECT count(*), ${same.join(", ")} FROM ${relation}`,
    );
    for (const [at, { name }] of plain.entries()) if (counts[at] !== rows) changed.add(name);
  }
  const ofTarget = columns.filter((column) => column.name === target && isMoment(column));
  return [...features.filter(({ name }) => changed.has(name)), ...ofTarget];
}
