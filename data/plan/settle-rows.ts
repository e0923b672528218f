/**
 * Settles what the steps so far say of each row: good rows into a table, bad ones to `bad_row`. What goes wrong only when
 * the rows are looked at is laid to the step that it comes from.
 */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { describeBadRow } from "../row/bad-row.ts";
import { engineRefusal, type Engine } from "../engine/sql-engine.ts";
import { refuseRow, type FailedStep } from "./failing-row.ts";
import { badRowOf, type LoadedSource } from "../source/load-source.ts";
import type { Declaration } from "../declaration/declaration.ts";

/** A relation that no table holds yet, and what made it. */
export interface OpenRelation {
  readonly relation: string;
  /** As in "step 2 (clean)". */
  readonly where: string;
  /** Its SQL over another relation with the columns of the one before; null where there is none. */
  readonly over: FailedStep["over"] | null;
}

interface Settling {
  readonly declaration: Declaration;
  readonly sources: readonly LoadedSource[];
  /** In order; the last is what is settled. */
  readonly open: readonly OpenRelation[];
  /** In SQL; the fewer, the faster. */
  readonly columns: readonly string[];
  readonly table: string;
}

/** The relation that has the good rows. */
export async function settleRows(engine: Engine, settling: Settling): Promise<Outcome<string>> {
  const { open, columns, table } = settling;
  const from = open.at(-1)?.relation ?? "step_0";
  try {
    await engine.run(`CREATE TABLE ${table} AS SELECT ${columns.join(", ")} FROM ${from}`);
  } catch (error) {
    return blame(engine, settling, error);
  }
  await engine.run(
    `INSERT INTO bad_row SELECT __file, __line, __column, __value, __reason FROM ${table} WHERE __reason IS NOT NULL`,
  );
  const refused = await refusedRow(engine, settling);
  if (refused !== null) return refuse("invalid", refused);
  const good = `good_${table}`;
  await engine.run(`CREATE VIEW ${good} AS SELECT * FROM ${table} WHERE __reason IS NULL`);
  return (await engine.count(`SELECT count(*) FROM ${good}`)) === 0
    ? nothingLeft(engine, open)
    : accept(good);
}

/** A row that its step would not have rejected. */
async function refusedRow(engine: Engine, { declaration, sources, table }: Settling): Promise<string | null> {
  // Where no step can reject a row the reason is an untyped NULL.
  const [row] = await engine.rows(
    `SELECT __file, __line, __column, __value, substr(__reason::VARCHAR, 2) FROM ${table} WHERE starts_with(__reason::VARCHAR, '!') ORDER BY __file, __line LIMIT 1`,
  );
  if (row === undefined) return null;
  const [file, ...rest] = row;
  const source = sources[Number(file)];
  const bad = badRowOf(source?.name ?? "", rest);
  const step = declaration.plan.find((one) => one.step === "map-label" && one.column === bad.column);
  const known = step?.step === "map-label" ? step.map.map(([value]) => value) : [];
  return `${source?.path ?? ""}, ${describeBadRow(bad)}; ${suggestion(bad.value ?? "", known)}`;
}

async function nothingLeft(engine: Engine, open: readonly OpenRelation[]): Promise<Outcome<never>> {
  let before = 0;
  for (const { relation, where } of open) {
    const rows = await engine.count(`SELECT count(*) FROM ${relation} WHERE __reason IS NULL`);
    if (rows === 0 && before > 0)
      return refuse("invalid", `${where} leaves no row of the ${before} that came to it`);
    before = rows;
  }
  return refuse("invalid", "the sources have no good row");
}

async function blame(engine: Engine, { open, sources }: Settling, error: unknown): Promise<Outcome<never>> {
  let from = "step_0";
  for (const { over, relation, where } of open) {
    try {
      await engine.run(`CREATE OR REPLACE TABLE tried AS SELECT * FROM ${relation}`);
    } catch (own) {
      return over === null
        ? engineRefusal(own, where)
        : refuseRow(engine, sources, { where, from, over }, own);
    }
    from = relation;
  }
  return engineRefusal(error, "the plan");
}
