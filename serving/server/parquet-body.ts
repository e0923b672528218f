/**
 * SERVE-21. The rows of a Parquet body, as MLflow's protocol sends them: read by DuckDB as the values that JSON would have had, within bounds of
 * rows, columns and memory. It is another library's reader over a caller's bytes: one body at a time, shut off from everything else.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngine, type Engine } from "../../data/engine/sql-engine.ts";
import { id, lit } from "../../data/engine/sql.ts";
import { parquetFault } from "../../data/source/parquet-fault.ts";
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";
import type { ParquetRows } from "../protocol/request-body.ts";
import { bodyBytesMax, cellCharactersMax, rowsPerRequestMax } from "../protocol/serving-limit.ts";

export const parquetTypes: readonly (string | null)[] = [
  "application/vnd.apache.parquet",
  "application/x-parquet",
  "application/parquet",
];

const columnsMax = 10_000;
/** What a body unpacks to may be much more than it is. */
const unpackedBytesMax = 8 * bodyBytesMax;
const memoryMiB = 256;
/** Bodies that wait for one that is being read. */
const waitingMax = 16;
const plainType = /^(?:BOOLEAN|U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\))$/u;

export class ParquetReader {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `wanted`: names of columns; others are passed over. */
  async read(bytes: Uint8Array, wanted: readonly string[]): Promise<Reading<ParquetRows>> {
    if (this.#waiting >= waitingMax) {
      const message = "too many Parquet bodies wait to be read; try again later, or send JSON";
      return { ok: false, down: { status: 429, message, retryAfterSeconds: 1 } };
    }
    this.#waiting++;
    const turn = this.#last.then(() => readBody(bytes, wanted));
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } catch {
      return turnDown(
        400,
        "the body is a Parquet file that cannot be read; write it again, or send JSON or CSV",
      );
    } finally {
      this.#waiting--;
    }
  }
}

async function readBody(bytes: Uint8Array, wanted: readonly string[]): Promise<Reading<ParquetRows>> {
  const folder = await mkdtemp(join(tmpdir(), "trialmesh-parquet-"));
  const path = join(folder, `${randomUUID()}.parquet`);
  try {
    await writeFile(path, bytes, { mode: 0o600 });
    const fault = await parquetFault(path);
    if (fault !== null) return turnDown(400, fault.replaceAll(path, "the body"));
    const engine = await openEngine({ workDir: folder, threads: 1, memoryMiB, onDisk: false });
    try {
      await engine.lock();
      return await readFile(engine, path, wanted);
    } finally {
      engine.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function readFile(
  engine: Engine,
  path: string,
  wanted: readonly string[],
): Promise<Reading<ParquetRows>> {
  const from = `read_parquet(${lit(path)})`;
  const count = await engine.count(`SELECT sum(num_rows) FROM parquet_file_metadata(${lit(path)})`);
  if (count === 0) return turnDown(400, "the request has no rows; it takes at least one");
  if (count > rowsPerRequestMax)
    return turnDown(413, `the request has ${count} rows; one request takes at most ${rowsPerRequestMax}`);
  const described = await engine.rows(`DESCRIBE SELECT * FROM ${from}`);
  if (described.length > columnsMax)
    return turnDown(413, `the body has ${described.length} columns; one request takes at most ${columnsMax}`);
  const types = new Map(described.map(([name, type]) => [String(name), String(type)]));
  const names = wanted.filter((name) => types.has(name));
  if (names.length === 0)
    return turnDown(
      400,
      `the body has none of the model's columns ${wanted.map(quoted).join(", ")}; it has ${[...types.keys()].slice(0, 20).map(quoted).join(", ")}`,
    );
  const large = await tooLarge(engine, from, names, types);
  if (large !== null) return large;
  const values = names.map((name) => valueSql(name, types.get(name) ?? "")).join(", ");
  const rows = await engine.rows(`SELECT ${values} FROM ${from}`);
  const columns = new Map(names.map((name, at) => [name, rows.map((row) => row[at])]));
  return { ok: true, value: { names: [...types.keys()], count, columns } };
}

/** Of texts alone: what else there is has its size by its rows. Asked of the lengths, before a text becomes one of JavaScript. */
async function tooLarge(
  engine: Engine,
  from: string,
  names: readonly string[],
  types: ReadonlyMap<string, string>,
): Promise<Reading<never> | null> {
  const texts = names.filter((name) => !plainType.test(types.get(name) ?? ""));
  if (texts.length === 0) return null;
  const lengths = texts.map((name) => `length(CAST(${id(name)} AS VARCHAR))`);
  const [measured = []] = await engine.rows(
    `SELECT ${lengths.map((length) => `sum(${length}), max(${length})`).join(", ")} FROM ${from}`,
  );
  let all = 0;
  for (const [at, name] of texts.entries()) {
    all += Number(measured[2 * at] ?? 0);
    const longest = Number(measured[2 * at + 1] ?? 0);
    if (longest > cellCharactersMax)
      return turnDown(
        413,
        `a text of ${quoted(name)} has ${longest} characters; a text has at most ${cellCharactersMax}`,
      );
  }
  if (all <= unpackedBytesMax) return null;
  return turnDown(413, `the body unpacks to ${all} characters; one request has at most ${unpackedBytesMax}`);
}

/** Numbers as numbers, truth as truth, anything else as its text. */
function valueSql(name: string, type: string): string {
  if (type === "BOOLEAN") return id(name);
  return `CAST(${id(name)} AS ${plainType.test(type) ? "DOUBLE" : "VARCHAR"})`;
}
