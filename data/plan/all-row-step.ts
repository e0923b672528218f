/**
 * Steps that look at all rows: dedupe, sample, balance. Which rows stay is decided by hashes of where they stand and a
 * seed, never by chance or order of arrival. They see good rows only.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { suggestion } from "../../protocol/name.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { id } from "../engine/sql.ts";
import type { StepOf } from "../declaration/plan-step.ts";
import { firstMissing, type Column } from "./compile-step.ts";
import { findNearGroups } from "./near-group.ts";
import { groupKey, trimmed } from "../engine/text-function.ts";

/** Place of a row in all sources as one whole number: its file times this, and its line. */
const linesPerFileMax = 2 ** 40;

type AllRowStep = StepOf<"dedupe"> | StepOf<"sample"> | StepOf<"balance">;

export interface AllRows {
  /** Relation of good rows. */
  readonly from: string;
  readonly columns: readonly Column[];
  /** Begins messages: "step 2 (dedupe)". */
  readonly where: string;
  /** Name of the relation to make. */
  readonly made: string;
  /** The other splits are left as they are; null: all rows. */
  readonly onlySplit: string | null;
  /** Column of `from` with the key of `dedupeKey`, where the step is an exact dedupe. */
  readonly keyColumn: string | null;
}

/** SQL for what makes two rows duplicates of one another. `textColumn`: the one whose texts are compared after normalising. */
export function dedupeKey(step: StepOf<"dedupe">, textColumn: string | null): string {
  const isText = (column: string) =>
    step.near !== undefined || (textColumn !== null && column === id(textColumn));
  return groupKey([step.by].flat().map(id), isText);
}

/** Makes the relation. Gives the number of near-duplicate groups where it looked for them. */
export async function allRowStep(
  engine: Engine,
  step: AllRowStep,
  rows: AllRows,
): Promise<Outcome<number | null>> {
  const { from, columns, where, made, onlySplit } = rows;
  const names = columns.map((column) => column.name);
  const read = step.step === "dedupe" ? [step.by].flat() : step.step === "balance" ? [step.column] : [];
  const missing = firstMissing(read, names);
  if (missing !== null)
    return refuse("invalid", `${where}: there is no column "${missing}"; ${suggestion(missing, names)}`);
  const chance = (seed: number) => `md5_number_lower(concat_ws(':', ${seed}, __file, __line))`;
  switch (step.step) {
    case "dedupe":
      return dedupe(engine, step, rows);
    case "sample": {
      const order = chance(step.seed);
      const limit =
        step.rows === undefined
          ? `CAST(round((SELECT count(*) FROM ${from}) * ${step.share ?? 1}) AS BIGINT)`
          : String(step.rows);
      await engine.run(
        `CREATE TABLE ${made} AS SELECT * FROM ${from} QUALIFY row_number() OVER (ORDER BY ${order}, __file, __line) <= ${limit}`,
      );
      return accept(null);
    }
    case "balance": {
      const type = columns.find(({ name }) => name === step.column)?.type;
      const column = type === "VARCHAR" ? trimmed(id(step.column)) : id(step.column);
      const among = onlySplit === null ? "true" : `__split = '${onlySplit}'`;
      const limit =
        step.to === "smallest"
          ? `(SELECT min(n) FROM (SELECT count(*) AS n FROM ${from} WHERE ${among} AND ${column} IS NOT NULL GROUP BY ${column}))`
          : String(step.to);
      await engine.run(
        `CREATE TABLE ${made} AS SELECT * FROM ${from} QUALIFY NOT (${among}) OR row_number() OVER (PARTITION BY ${column}, ${among} ORDER BY ${chance(step.seed)}, __file, __line) <= ${limit}`,
      );
      return accept(null);
    }
  }
}

async function dedupe(
  engine: Engine,
  step: StepOf<"dedupe">,
  { from, made, keyColumn }: AllRows,
): Promise<Outcome<number | null>> {
  if (step.near === undefined) {
    if (step.keep === "all" || keyColumn === null) {
      await engine.run(`CREATE VIEW ${made} AS SELECT * FROM ${from}`);
      return accept(null);
    }
    // Only keys that come again are looked up: a window over all rows would sort all their texts.
    const position = `__file::UBIGINT * ${linesPerFileMax} + __line::UBIGINT`;
    await engine.run(
      `CREATE TABLE first_of_${made} AS SELECT ${keyColumn} AS k, min(${position}) AS p FROM ${from} GROUP BY 1 HAVING count(*) > 1`,
    );
    await engine.run(
      `CREATE VIEW ${made} AS SELECT f.* FROM ${from} f LEFT JOIN first_of_${made} d ON d.k = f.${keyColumn} WHERE d.p IS NULL OR d.p = ${position}`,
    );
    return accept(null);
  }
  const groups = await findNearGroups(engine, from, [step.by].flat().map(id), step.near);
  const marked = `SELECT f.* REPLACE (coalesce(g.__root, f.__near) AS __near)
    FROM (SELECT *, ${dedupeKey(step, null)} AS __near_key FROM ${from}) f LEFT JOIN near_group g ON g.__key = f.__near_key`;
  const first =
    "QUALIFY row_number() OVER (PARTITION BY coalesce(__near, CAST(__near_key AS VARCHAR)) ORDER BY __file, __line) = 1";
  await engine.run(
    `CREATE TABLE ${made} AS SELECT * EXCLUDE (__near_key) FROM (${marked}) ${step.keep === "first" ? first : ""}`,
  );
  return accept(groups);
}
