/** A source that is ready to be read by DuckDB, whatever its format: what was found out about it, and SQL for its rows. */
import type { ColumnType } from "../declaration/source.ts";
import type { ScannedBad } from "./record-scan.ts";
import type { Scan } from "./scan-source.ts";

export interface Prepared {
  /** Base name. */
  readonly name: string;
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  /** Rows that `relation` must give; null where only reading tells. */
  readonly records: number | null;
  readonly badCount: number;
  readonly bad: readonly ScannedBad[];
  readonly latin1Lines: number;
  /** What is odd about it, a sentence each, without a full stop. */
  readonly notes: readonly string[];
  readonly shifts: Scan["shifts"];
  /** SQL without and with threads that share one file; columns `columns` as text, and __why where a row is bad. */
  readonly relation: (parallel: boolean) => string;
  readonly columns: readonly string[];
  /** Where the file itself knows its types, as Parquet does. */
  readonly types: ReadonlyMap<string, ColumnType> | null;
  readonly hasWhy: boolean;
  /** Looks for the columns that cannot be read, where reading them all has failed; left out where none can be told apart. */
  readonly unreadable?: () => Promise<readonly string[]>;
}
