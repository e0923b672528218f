/**
 * A transformation done by DuckDB with the very SQL that a build runs, for plans with casts, expressions or dates. Rows go in
 * as texts and are read as a source's are. One batch after another; a few milliseconds each, however few rows.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { columnsOf } from "../../data/plan/columns-of.ts";
import { compileStep, type Column, type RowStep } from "../../data/plan/compile-step.ts";
import { featureColumns } from "../../data/plan/fit-features.ts";
import { largePosition } from "../../data/plan/required-rows.ts";
import { engineRefusal, openEngine, type Engine } from "../../data/engine/sql-engine.ts";
import { id, lit } from "../../data/engine/sql.ts";
import { trimmed } from "../../data/engine/text-function.ts";
import { tableSql } from "../../data/source/load-source.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { InputRows } from "./input-rows.ts";
import { givenColumns } from "./given-column.ts";
import { typeOfColumn } from "./input-type.ts";
import type { TransformPlan } from "./transform-plan.ts";
import { asTexts, type TextCells } from "./text-cell.ts";
import type { Transform, TransformedRows } from "./transform.ts";
import { TransformedTable, TransformedTexts, type Filling } from "./transformed.ts";

const memoryMiB = 512;

/** A small database of its own, shut off from files and network. Whoever opens it closes it. */
export function openTransformEngine(): Promise<Engine> {
  const workDir = join(tmpdir(), "trialmesh-transform");
  return openEngine({ workDir, threads: 1, memoryMiB, onDisk: false });
}

/** Takes the engine over: it is closed with the transformation, or here where that cannot be. */
export async function sqlTransform(engine: Engine, plan: TransformPlan): Promise<Outcome<Transform>> {
  try {
    await engine.lock();
    const made = await outputSql(engine, plan);
    if (made.ok) return accept(new SqlTransform(engine, plan, made.value));
    engine.close();
    return made;
  } catch (error) {
    engine.close();
    return engineRefusal(error, `the plan of ${plan.name}`);
  }
}

/** Makes the views over the table `given`; gives the query of what comes out, a row each, in the order of the rows. */
async function outputSql(engine: Engine, plan: TransformPlan): Promise<Outcome<string>> {
  const { inputs, output, steps } = plan;
  const names = inputs.map(({ name }) => name);
  await engine.run(
    `CREATE TABLE given (${["__line", ...names].map((name) => `${id(name)} VARCHAR`).join(", ")})`,
  );
  const types = new Map(inputs.map((column) => [column.name, typeOfColumn(column)]));
  const typed = tableSql({ hasWhy: false }, ["__line", ...names], (name) => types.get(name) ?? "text", null);
  await engine.run(
    `CREATE VIEW step_0 AS SELECT 0 AS __file, CAST(__line AS BIGINT) AS __line, CAST(NULL AS VARCHAR) AS __split, CAST(NULL AS VARCHAR) AS __near, * EXCLUDE (__line) FROM (${typed} FROM given)))`,
  );
  let from = "step_0";
  for (const [index, step] of steps.entries()) {
    const there = await columnsOf(engine, from);
    const over = step.step === "rename" ? writtenOver(step.columns, there) : [];
    const columns = there.filter((column) => !over.includes(column));
    if (over.length > 0) {
      const left = over.map(({ name }) => id(name)).join(", ");
      await engine.run(`CREATE VIEW before_${index} AS SELECT * EXCLUDE (${left}) FROM ${from}`);
      from = `before_${index}`;
    }
    const sql = await compileStep(
      engine,
      keepingRows(step),
      from,
      columns,
      `${step.step} in the plan of ${plan.name}`,
    );
    if (!sql.ok) return sql;
    await engine.run(`CREATE VIEW step_${index + 1} AS ${sql.value}`);
    from = `step_${index + 1}`;
  }
  const place = "__line, __column, __value, __reason";
  if (output.kind === "text")
    return accept(`SELECT ${place}, CAST(${id(output.column)} AS VARCHAR) FROM ${from} ORDER BY __line`);
  const columns = await columnsOf(engine, from);
  const features = featureColumns(output.features, columns).map((sql) => `CAST(${sql} AS DOUBLE)`);
  const numbers = new Set(
    output.features.filter(({ kind }) => kind !== "categories").map(({ column }) => column),
  );
  const wide = columns.filter(({ name, type }) => type === "DOUBLE" && numbers.has(name));
  const large =
    wide.length === 0
      ? "NULL"
      : `([${wide.map(({ name }) => lit(name)).join(", ")}])[${largePosition(wide)}]`;
  return accept(`SELECT ${[place, large, ...features].join(", ")} FROM ${from} ORDER BY __line`);
}

/** A whole plan renames these too; nothing that is needed comes of it, so here they only stand in the way. */
function writtenOver(renamed: Readonly<Record<string, string>>, there: readonly Column[]): Column[] {
  const taken = new Set(Object.values(renamed).map((name) => name.toLowerCase()));
  const moved = new Set(Object.keys(renamed).map((name) => name.toLowerCase()));
  return there.filter(({ name }) => taken.has(name.toLowerCase()) && !moved.has(name.toLowerCase()));
}

/** A value that a map leaves rows out for is none here: the row is to be answered. */
function keepingRows(step: RowStep): RowStep {
  if (step.step !== "map-label" || step.unknown !== "drop") return step;
  const cases = step.map.map(([value, label]) => `WHEN ${lit(value)} THEN ${lit(label)}`).join(" ");
  const as = `CASE ${trimmed(`CAST(${id(step.column)} AS VARCHAR)`)} ${cases} END`;
  return { step: "derive", column: step.to ?? step.column, as };
}

class SqlTransform implements Transform {
  readonly inputs: readonly Column[];
  readonly ofTexts = null;
  readonly #engine: Engine;
  readonly #plan: TransformPlan;
  readonly #sql: string;
  /** The batch before this one: there is one table. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, plan: TransformPlan, sql: string) {
    this.inputs = plan.inputs;
    this.#engine = engine;
    this.#plan = plan;
    this.#sql = sql;
  }

  apply(rows: InputRows): Promise<Outcome<TransformedRows>> {
    const done = this.#last.then(() => this.#apply(rows));
    this.#last = done.catch(() => undefined);
    return done;
  }

  dispose(): void {
    void this.#last.then(() => this.#engine.close());
  }

  async #apply(rows: InputRows): Promise<Outcome<TransformedRows>> {
    const given = givenColumns(this.inputs, rows);
    if (!given.ok) return given;
    const texts = asTexts(this.#plan, given.value, rows.count);
    const { output } = this.#plan;
    const made: Filling =
      output.kind === "text"
        ? new TransformedTexts(rows.count, output.column)
        : new TransformedTable(rows.count, output.features);
    for (const unfit of texts.unfit) made.refuse(unfit);
    const failed = await this.#fill(texts, 0, rows.count, made);
    return failed ?? accept(made.done());
  }

  /** Where the engine fails, which row it is about is found by halving. */
  async #fill(texts: TextCells, from: number, to: number, made: Filling): Promise<Outcome<never> | null> {
    if (from >= to) return null;
    let found: readonly (readonly unknown[])[];
    try {
      found = await this.#run(texts, from, to);
    } catch (error) {
      const failed = engineRefusal(error, `the plan of ${this.#plan.name}`);
      if (failed.ok || failed.refusal.code !== "invalid") return failed;
      if (to - from === 1) {
        made.refuse({ row: from, column: null, value: null, reason: failed.refusal.message });
        return null;
      }
      const middle = Math.floor((from + to) / 2);
      return (await this.#fill(texts, from, middle, made)) ?? this.#fill(texts, middle, to, made);
    }
    if (found.length !== to - from)
      throw new Error(
        `${to - from} rows went into the plan of ${this.#plan.name}, and ${found.length} came out`,
      );
    for (const [line, ...values] of found) made.take(Number(line), values);
    return null;
  }

  /** [row, column, value, reason, …output] of each. */
  async #run({ columns }: TextCells, from: number, to: number): Promise<readonly (readonly unknown[])[]> {
    const { connection } = this.#engine;
    await this.#engine.run("TRUNCATE given");
    const appender = await connection.createAppender("given");
    for (let row = from; row < to; row++) {
      appender.appendVarchar(String(row));
      for (const cells of columns) {
        const cell = cells[row] ?? null;
        if (cell === null) appender.appendNull();
        else appender.appendVarchar(cell);
      }
      appender.endRow();
    }
    appender.closeSync();
    return this.#engine.rows(this.#sql);
  }
}
