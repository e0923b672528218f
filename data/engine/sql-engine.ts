/**
 * One DuckDB inside this process, shut off from network and extensions, with bounded memory and threads. Loaded when
 * first needed: the library takes a tenth of a second that no other command should pay. Knows no datasets.
 */
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { errorMessage } from "../../protocol/error-sentence.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { registerTextFunctions } from "./text-function.ts";
import { lit } from "./sql.ts";

export interface EngineOptions {
  /** Where data goes that memory cannot hold. */
  readonly workDir: string;
  readonly threads: number;
  readonly memoryMiB: number;
  /** Whether the tables are kept in a file of `workDir`, as large ones must be. */
  readonly onDisk: boolean;
}

export interface Engine {
  readonly connection: DuckDBConnection;
  run(sql: string): Promise<void>;
  /** Rows of plain values: text, number (whole numbers of 64 bits too), boolean, null. */
  rows(sql: string): Promise<readonly (readonly unknown[])[]>;
  /** The first value of the first row as a number; 0 where there is none. */
  count(sql: string): Promise<number>;
  /** From here on no file outside `workDir` can be reached, and this cannot be undone. */
  lock(): Promise<void>;
  close(): void;
}

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const api = await import("@duckdb/node-api");
  const path = options.onDisk ? `${options.workDir}/build.duckdb` : ":memory:";
  const instance: DuckDBInstance = await api.DuckDBInstance.create(path, {
    threads: String(options.threads),
    memory_limit: `${options.memoryMiB}MiB`,
    temp_directory: `${options.workDir}/spill`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
    preserve_insertion_order: "true",
    default_order: "ASC",
    default_null_order: "NULLS LAST",
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  // The tables live for minutes: to compress them costs more than to write them.
  await connection.run("SET force_compression = 'uncompressed'");
  registerTextFunctions(api, connection);
  const rows = async (sql: string) => {
    const reader = await connection.runAndReadAll(sql);
    return reader
      .getRowsJS()
      .map((row) => row.map((value) => (typeof value === "bigint" ? Number(value) : value)));
  };
  return {
    connection,
    run: async (sql) => {
      await connection.run(sql);
    },
    rows,
    count: async (sql) => Number((await rows(sql))[0]?.[0] ?? 0),
    lock: async () => {
      await connection.run(`SET allowed_directories = [${lit(`${options.workDir}/`)}]`);
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
    },
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** What DuckDB threw, as a refusal: a full disk or memory may pass, anything else is the plan's or the data's. */
export function engineRefusal(error: unknown, where: string): Outcome<never> {
  const [first = "", next = ""] = errorMessage(error).split("\n");
  const message = next.startsWith("Did you mean") ? `${first} ${next}` : first;
  if (/^Out of Memory|No space left|could not allocate/iu.test(message))
    return refuse(
      "unavailable",
      `${where}: not enough memory or disk (${message}); give the build more of it`,
    );
  return refuse(
    "invalid",
    `${where}: ${message.replace(/^[A-Z][A-Za-z]+(?: [A-Za-z]+)* (?:Error|Exception): /u, "")}`,
  );
}
