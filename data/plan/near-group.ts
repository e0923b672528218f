/**
 * Groups of near-duplicate texts: MinHash signatures of 5-character shingles in bands (Broder 1997; Leskovec, Rajaraman,
 * Ullman, Mining of Massive Datasets, ch. 3), every candidate then checked by its exact Jaccard similarity. Texts are
 * compared after normalising. What is found missing is what no band brought together: under 1 in 500 at the threshold.
 */
import { fnv1a, fnvBasis } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { groupKey, normalised } from "../engine/text-function.ts";
import { UnionFind } from "./union-find.ts";

const shingleCharacters = 5;
const hashes = 64;

/** Rows per band: fewer for a lower threshold, so that one equal band stays likely. */
function rowsPerBand(threshold: number): number {
  if (threshold >= 0.8) return 4;
  return threshold >= 0.65 ? 3 : 2;
}

/**
 * Makes the table `near_group` (__key, __root): the keys of texts that have near-duplicates, with the key of the first
 * of their group. `columns` are names in SQL; `from` has only good rows. Returns the number of groups.
 */
export async function findNearGroups(
  engine: Engine,
  from: string,
  columns: readonly string[],
  threshold: number,
): Promise<number> {
  const text = columns.length === 1 ? (columns[0] ?? "") : `concat_ws(' ', ${columns.join(", ")})`;
  await engine.run(
    `CREATE OR REPLACE TABLE near_text AS SELECT row_number() OVER (ORDER BY o) - 1 AS n, k, t FROM (
       SELECT ${groupKey(columns, () => true)} AS k, any_value(${normalised(`CAST(${text} AS VARCHAR)`)}) AS t,
         min(__file::HUGEINT * 1000000000000 + __line) AS o
       FROM ${from} GROUP BY 1)`,
  );
  const pairs = await candidatePairs(engine, rowsPerBand(threshold));
  await engine.run("CREATE OR REPLACE TABLE near_pair (a BIGINT, b BIGINT)");
  const appender = await engine.connection.createAppender("near_pair");
  for (const [a, b] of pairs) {
    appender.appendBigInt(BigInt(a));
    appender.appendBigInt(BigInt(b));
    appender.endRow();
  }
  appender.closeSync();
  const groups = new UnionFind();
  const result = await engine.connection.stream(
    "SELECT p.a, p.b, x.t, y.t FROM near_pair p JOIN near_text x ON x.n = p.a JOIN near_text y ON y.n = p.b ORDER BY 1, 2",
  );
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    const [as = [], bs = [], left = [], right = []] = chunk.getColumns();
    for (let row = 0; row < chunk.rowCount; row++) {
      if (jaccard(String(left[row]), String(right[row])) >= threshold)
        groups.join(Number(as[row]), Number(bs[row]));
    }
  }
  await engine.run("CREATE OR REPLACE TABLE near_root (a BIGINT, b BIGINT)");
  const roots = await engine.connection.createAppender("near_root");
  const distinct = new Set<number>();
  for (const member of groups.members()) {
    const root = groups.find(member);
    distinct.add(root);
    roots.appendBigInt(BigInt(member));
    roots.appendBigInt(BigInt(root));
    roots.endRow();
  }
  roots.closeSync();
  await engine.run(
    `CREATE OR REPLACE TABLE near_group AS SELECT x.k AS __key, CAST(y.k AS VARCHAR) AS __root
     FROM near_root r JOIN near_text x ON x.n = r.a JOIN near_text y ON y.n = r.b`,
  );
  return distinct.size;
}

/** Pairs that share a band; within a bucket each is paired with the first and with the one before it. */
async function candidatePairs(engine: Engine, rows: number): Promise<readonly (readonly [number, number])[]> {
  const bands = Math.floor(hashes / rows);
  const count = await engine.count("SELECT count(*) FROM near_text");
  const keys = Array.from({ length: bands }, () => new Uint32Array(count));
  const signature = new Uint32Array(hashes);
  const result = await engine.connection.stream("SELECT t FROM near_text ORDER BY n");
  let n = 0;
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    for (const text of chunk.getColumnValues(0)) {
      sign(shinglesOf(String(text ?? "")), signature);
      for (const [band, column] of keys.entries()) {
        let key = 0;
        for (let row = 0; row < rows; row++) key = mixUnsigned(key ^ (signature[band * rows + row] ?? 0));
        column[n] = key;
      }
      n++;
    }
  }
  const found = new Map<number, Set<number>>();
  for (const column of keys) {
    const order = Uint32Array.from({ length: count }, (_, at) => at);
    order.sort((a, b) => (column[a] ?? 0) - (column[b] ?? 0) || a - b);
    let first = 0;
    for (let at = 1; at < count; at++) {
      const [head = 0, before = 0, here = 0] = [order[first], order[at - 1], order[at]];
      if (column[head] !== column[here]) {
        first = at;
        continue;
      }
      add(found, head, here);
      if (before !== head) add(found, before, here);
    }
  }
  return [...found].flatMap(([a, others]) => [...others].map((b) => [a, b] as const));
}

function add(found: Map<number, Set<number>>, a: number, b: number): void {
  const others = found.get(a);
  if (others === undefined) found.set(a, new Set([b]));
  else others.add(b);
}

/** Hashes of the distinct shingles; a shorter text is one shingle. */
export function shinglesOf(text: string): Set<number> {
  const shingles = new Set<number>();
  const last = Math.max(0, text.length - shingleCharacters);
  for (let from = 0; from <= last; from++) {
    const to = Math.min(text.length, from + shingleCharacters);
    shingles.add(mixUnsigned(fnv1a(text, fnvBasis, from, to)));
  }
  return shingles;
}

/** Shared shingles over all shingles of both, 0 to 1. */
export function jaccard(a: string, b: string): number {
  const [left, right] = [shinglesOf(a), shinglesOf(b)];
  let shared = 0;
  for (const shingle of left) if (right.has(shingle)) shared++;
  return shared / (left.size + right.size - shared);
}

const multipliers = Uint32Array.from({ length: hashes }, (_, at) => mixUnsigned(2 * at + 1) | 1);
const addends = Uint32Array.from({ length: hashes }, (_, at) => mixUnsigned(2 * at + 2));

function sign(shingles: ReadonlySet<number>, signature: Uint32Array): void {
  signature.fill(0xffff_ffff);
  for (const shingle of shingles) {
    for (let at = 0; at < hashes; at++) {
      const value = (Math.imul(shingle, multipliers[at] ?? 1) + (addends[at] ?? 0)) >>> 0;
      if (value < (signature[at] ?? 0)) signature[at] = value;
    }
  }
}
