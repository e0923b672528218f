/**
 * Every row to its split. Official splits stay as they are; the other rows are cut by the hash of their group (equal
 * text after normalising, joined with near-duplicates), within each stratum, so that no group straddles. A training row
 * whose group a held-out official split also has is dropped and counted.
 */
import { plural } from "../../protocol/plural.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { id, lit } from "../engine/sql.ts";
import type { StepOf } from "../declaration/plan-step.ts";
import { trimmed } from "../engine/text-function.ts";
import { UnionFind } from "./union-find.ts";

export interface SplitResult {
  /** View of all rows that are in a split, __split telling which. */
  readonly relation: string;
  readonly leakedRows: number;
  /** The first of them, each with the first row of a held-out split that it is like. */
  readonly leaks: readonly Leak[];
  /** What to say of a split that should have rows and has none, or null. */
  readonly emptySplit: string | null;
}

/** A training row that was dropped, and why. Sources by their index, lines from 1. */
export interface Leak {
  readonly file: number;
  readonly line: number;
  readonly heldSplit: string;
  readonly heldFile: number;
  readonly heldLine: number;
}

const names = ["train", "validation", "test"] as const;
const leaksListed = 100;

/** `keyed` is a table with __key; `stratum` a column or null. */
export async function splitRows(
  engine: Engine,
  step: StepOf<"split">,
  keyed: string,
  stratum: string | null,
): Promise<SplitResult> {
  const key = (await joinNear(engine, keyed)) ? "coalesce(r.__root, k.__key)" : "k.__key";
  const from = key === "k.__key" ? `${keyed} k` : `${keyed} k LEFT JOIN near_key r ON r.__key = k.__key`;
  await engine.run(`CREATE VIEW grouped AS SELECT k.* EXCLUDE (__key), ${key} AS __key FROM ${from}`);
  const official = new Set(
    (await engine.rows(`SELECT DISTINCT __split FROM ${keyed} WHERE __split IS NOT NULL`)).map(([name]) =>
      String(name),
    ),
  );
  await engine.run(
    `CREATE TABLE held_out AS SELECT DISTINCT __key FROM grouped WHERE __split IN ('validation', 'test')`,
  );
  const pool = "(__split IS NULL OR __split = 'train')";
  const isLeak = `${pool} AND __key IN (SELECT __key FROM held_out)`;
  const leakedRows = await engine.count(`SELECT count(*) FROM grouped WHERE ${isLeak}`);
  const leaks = leakedRows === 0 ? [] : await firstLeaks(engine, pool);
  const wanted = names
    .map((name) => ({ name, share: step[name] }))
    .filter(({ name, share }) => share > 0 && (name === "train" || !official.has(name)));
  const whole = wanted.reduce((sum, { share }) => sum + share, 0);
  let bound = 0;
  const cuts = wanted.slice(0, -1).map(({ name, share }) => {
    bound += share / whole;
    return `WHEN before + n / 2.0::DOUBLE <= ${bound}::DOUBLE * total THEN ${lit(name)}`;
  });
  const last = lit(wanted.at(-1)?.name ?? "train");
  const part = cuts.length === 0 ? last : `CASE ${cuts.join(" ")} ELSE ${last} END`;
  await engine.run(
    `CREATE TABLE split_group AS SELECT __key, ${part} AS part FROM (
       SELECT __key, n, sum(n) OVER w - n AS before, sum(n) OVER (PARTITION BY s) AS total FROM (
         SELECT __key, count(*) AS n, ${stratum === null ? "''" : `min(${trimmed(`CAST(${id(stratum)} AS VARCHAR)`)})`} AS s,
           md5_number_lower(${lit(`${step.seed}:`)} || __key) AS o
         FROM grouped WHERE ${pool} AND __key NOT IN (SELECT __key FROM held_out) GROUP BY __key)
       WINDOW w AS (PARTITION BY s ORDER BY o, __key ROWS UNBOUNDED PRECEDING))`,
  );
  await engine.run(
    `CREATE VIEW in_split AS SELECT g.* REPLACE (CASE WHEN ${pool.replaceAll("__split", "g.__split")} THEN p.part ELSE g.__split END AS __split)
     FROM grouped g LEFT JOIN split_group p ON p.__key = g.__key
     WHERE NOT ${pool.replaceAll("__split", "g.__split")} OR p.part IS NOT NULL`,
  );
  const expected = names.filter((name) => official.has(name) || wanted.some((one) => one.name === name));
  const counts = new Map(
    (await engine.rows("SELECT __split, count(*) FROM in_split GROUP BY 1")).map(([name, count]) => [
      String(name),
      Number(count),
    ]),
  );
  const empty = expected.find((name) => (counts.get(name) ?? 0) === 0);
  if (empty === undefined) return { relation: "in_split", leakedRows, leaks, emptySplit: null };
  const rows = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const groups = await engine.count("SELECT count(*) FROM split_group");
  const leaked =
    leakedRows > 0
      ? ` (${leakedRows} training rows were dropped because a held-out split has the same text)`
      : "";
  const emptySplit = `the ${empty} split is empty: ${plural(rows, "row")} in ${plural(groups, "group")} (rows that are alike stay together) are too few for its share${leaked}; give it a larger share, or 0 to do without`;
  return { relation: "in_split", leakedRows, leaks, emptySplit };
}

async function firstLeaks(engine: Engine, pool: string): Promise<readonly Leak[]> {
  const rows = await engine.rows(
    `SELECT g.__file, g.__line, h.held.split, h.held.file, h.held.line FROM grouped g JOIN (
       SELECT __key, min({'split': __split, 'file': __file, 'line': __line}) AS held
       FROM grouped WHERE __split IN ('validation', 'test') GROUP BY __key) h ON h.__key = g.__key
     WHERE ${pool.replaceAll("__split", "g.__split")} ORDER BY g.__file, g.__line LIMIT ${leaksListed}`,
  );
  return rows.map(([file, line, heldSplit, heldFile, heldLine]) => ({
    file: Number(file),
    line: Number(line),
    heldSplit: String(heldSplit),
    heldFile: Number(heldFile),
    heldLine: Number(heldLine),
  }));
}

/**
 * Near-duplicate groups were made of the texts as they were then; the keys are of the texts as they are now. Both
 * together: whatever shares a key or a near group is one group. False where there are no near-duplicates.
 */
async function joinNear(engine: Engine, keyed: string): Promise<boolean> {
  const pairs = await engine.rows(
    `SELECT DISTINCT CAST(__key AS VARCHAR), __near FROM ${keyed} WHERE __near IS NOT NULL ORDER BY 1, 2`,
  );
  if (pairs.length === 0) return false;
  const numbers = new Map<string, number>();
  const numberOf = (name: string) => {
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
  const groups = new UnionFind();
  const keys = new Map<number, string>();
  for (const [key, near] of pairs) {
    const number = numberOf(`key ${String(key)}`);
    keys.set(number, String(key));
    groups.join(number, numberOf(`near ${String(near)}`));
  }
  await engine.run("CREATE TABLE near_key (__key UBIGINT, __root UBIGINT)");
  const appender = await engine.connection.createAppender("near_key");
  const roots = new Map<number, string>();
  for (const [number, key] of keys) {
    const root = groups.find(number);
    const name = roots.get(root) ?? key;
    roots.set(root, name);
    appender.appendUBigInt(BigInt(key));
    appender.appendUBigInt(BigInt(name));
    appender.endRow();
  }
  appender.closeSync();
  return true;
}
