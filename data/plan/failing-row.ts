/**
 * The first row at which a step fails, found by halving: an engine says what went wrong, not where. Only looked for once a
 * step has failed. Rows are those that came to the step.
 */
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { engineRefusal, type Engine } from "../engine/sql-engine.ts";
import type { LoadedSource } from "../source/load-source.ts";

export interface FailedStep {
  /** As in "step 2 (derive)". */
  readonly where: string;
  /** Relation of the rows that came to it. */
  readonly from: string;
  /** The step's SQL over another relation of the same columns. */
  readonly over: (from: string) => Promise<Outcome<string>>;
}

/** The step's refusal, with the row's file and line where one row is to blame. */
export async function refuseRow(
  engine: Engine,
  sources: readonly LoadedSource[],
  { from, over, where }: FailedStep,
  error: unknown,
): Promise<Outcome<never>> {
  const bare = engineRefusal(error, where);
  if (bare.ok || bare.refusal.code !== "invalid") return bare;
  const row = await firstFailing(engine, from, over).catch(() => null);
  if (row === null) return bare;
  const [file, line, why] = row;
  const own = engineRefusal(why, where);
  const sentence = own.ok ? "" : own.refusal.message;
  return refuse(
    "invalid",
    `${sources[file]?.path ?? ""}, line ${line}, ${sentence}; leave such rows out with filter before this, or write TRY(…) around what fails, which then has no value`,
  );
}

async function firstFailing(
  engine: Engine,
  from: string,
  over: FailedStep["over"],
): Promise<readonly [file: number, line: number, why: unknown] | null> {
  await engine.run(`CREATE OR REPLACE TABLE came AS SELECT * FROM ${from} ORDER BY __file, __line`);
  const sql = await over("came_part");
  if (!sql.ok) return null;
  const failure = async (low: number, high: number): Promise<unknown> => {
    await engine.run(
      `CREATE OR REPLACE TABLE came_part AS SELECT * FROM came WHERE rowid >= ${low} AND rowid < ${high}`,
    );
    return engine.run(`CREATE OR REPLACE TABLE came_tried AS ${sql.value}`).then(
      () => null,
      (error: unknown) => error,
    );
  };
  let low = 0;
  let high = await engine.count("SELECT count(*) FROM came");
  let why = await failure(low, high);
  if (why === null) return null;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const first = await failure(low, middle);
    if (first === null) low = middle;
    else [high, why] = [middle, first];
  }
  why = (await failure(low, high)) ?? why;
  const [[file, line] = []] = await engine.rows("SELECT __file, __line FROM came_part");
  return [Number(file), Number(line), why];
}
