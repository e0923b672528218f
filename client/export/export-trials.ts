/**
 * Writes trials with all that is kept of them where an export goes. Everything is complete in files of its own before any of
 * it stands where it was asked for; a refusal on the way leaves nothing.
 */
import { createReadStream, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { makeTemporaryFolder } from "../../system/temporary-folder.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepView } from "../../protocol/view.ts";
import { csvText } from "./csv-table.ts";
import { acceptedOnly, documentText, linesText } from "./export-document.ts";
import type { ExportedTrial, SweepHead } from "./exported-trial.ts";
import { ExportFiles, unwritable } from "./export-file.ts";
import type { ExportOutput, ExportPlace } from "./export-place.ts";
import { TableDraft, type ExportTable } from "./export-table.ts";
import { TextFile } from "./text-file.ts";
import { historyStates, type HistoryState } from "./trial-history.ts";
import {
  historyRows,
  historyTable,
  metricPrefix,
  namedCells,
  parameterPrefix,
  trialRow,
  trialsTable,
} from "./trial-record.ts";

export interface Exported {
  /** Null of what went to standard output. */
  readonly files: readonly {
    readonly file: string | null;
    readonly table: string;
    readonly bytes: number | null;
  }[];
  readonly trials: number;
  /** Numbers in the history. */
  readonly values: number;
  /** Of how many trials the history is in which state. */
  readonly history: Readonly<Record<HistoryState, number>>;
}

export interface ExportSource {
  readonly trials: AsyncIterable<Outcome<ExportedTrial>>;
  /** Of the sweep, once its first page was seen. */
  readonly head: () => SweepHead | null;
}

/** `pour`: takes text for standard output. `at`: now, ms since the Unix epoch. */
export async function exportTrials(
  source: ExportSource,
  place: ExportPlace,
  pour: (text: string) => Promise<void>,
  at: number,
): Promise<Outcome<Exported>> {
  const folder = makeTemporaryFolder("trialmesh-export-");
  const files = new ExportFiles(place.force);
  const leaveNothing = (): void => {
    files.close();
    rmSync(folder, { recursive: true, force: true });
  };
  // Interrupted, or its reader has seen enough.
  process.once("exit", leaveNothing);
  try {
    const run = new ExportRun(source, place, files, folder, at);
    const written = await run.write();
    if (!written.ok) return written;
    const sizes = await files.place();
    if (!sizes.ok) return sizes;
    if (run.poured !== null)
      for await (const piece of createReadStream(run.poured, "utf8")) await pour(String(piece));
    return accept(run.exported(sizes.value));
  } catch (error) {
    return unwritable(error, place.folder ?? place.outputs[0]?.path ?? folder);
  } finally {
    process.off("exit", leaveNothing);
    leaveNothing();
  }
}

class ExportRun {
  /** What is to go to standard output. */
  poured: string | null = null;
  readonly #source: ExportSource;
  readonly #place: ExportPlace;
  readonly #files: ExportFiles;
  readonly #folder: string;
  readonly #at: number;
  readonly #history = new Map<HistoryState, number>(historyStates.map((state) => [state, 0]));
  #trials = 0;
  #values = 0;
  #refused: Outcome<never> | null = null;

  constructor(source: ExportSource, place: ExportPlace, files: ExportFiles, folder: string, at: number) {
    this.#source = source;
    this.#place = place;
    this.#files = files;
    this.#folder = folder;
    this.#at = at;
  }

  write(): Promise<Outcome<null>> {
    const { format, outputs } = this.#place;
    const [first] = outputs;
    if (first === undefined) throw new Error("broken invariant: an export that goes nowhere");
    return format === "json" || format === "jsonl" ? this.#writeDocument(first) : this.#writeTables(format);
  }

  exported(sizes: ReadonlyMap<string, number>): Exported {
    return {
      files: this.#place.outputs.map(({ path, table }) => ({
        file: path,
        table,
        bytes: path === null ? null : (sizes.get(path) ?? null),
      })),
      trials: this.#trials,
      values: this.#values,
      history: this.#counts(),
    };
  }

  async #writeDocument(output: ExportOutput): Promise<Outcome<null>> {
    const trials = this.#counted();
    const text =
      this.#place.format === "jsonl"
        ? linesText(trials)
        : documentText(
            trials,
            () => this.#head(),
            () => ({ exported: this.#totals() }),
          );
    await this.#put(output, text);
    return this.#refused ?? accept(null);
  }

  async #writeTables(format: "csv" | "parquet"): Promise<Outcome<null>> {
    const drafts = {
      trials: await TableDraft.create(join(this.#folder, "trials"), trialsTable),
      history: await TableDraft.create(join(this.#folder, "history"), historyTable),
    };
    for await (const trial of this.#counted()) {
      await drafts.trials.add(trialRow(trial), namedCells(trial));
      for (const row of historyRows(trial)) await drafts.history.add(row);
    }
    const tables = {
      trials: await drafts.trials.finish(numberColumns(this.#source.head()?.spaces ?? {})),
      history: await drafts.history.finish(),
    };
    if (this.#refused !== null) return this.#refused;
    const columns = { trials: tables.trials.columns, history: tables.history.columns };
    const about = { ...this.#head(), exported: this.#totals(), columns };
    for (const output of this.#place.outputs) {
      if (output.table === "all") throw new Error("broken invariant: a table that is none");
      const written = await this.#putTable(output, tables[output.table], format, about);
      if (!written.ok) return written;
    }
    if (this.#place.about !== null)
      await this.#files.write(this.#place.about, Readable.from([`${JSON.stringify(about, null, 2)}\n`]));
    return accept(null);
  }

  async #putTable(
    output: ExportOutput,
    table: ExportTable,
    format: "csv" | "parquet",
    about: object,
  ): Promise<Outcome<null>> {
    if (format === "csv" || output.path === null) {
      await this.#put(output, csvText(table));
      return accept(null);
    }
    // It loads DuckDB, which other formats need not wait for.
    const { writeParquet } = await import("./parquet-table.ts");
    const draft = await this.#files.draftOf(output.path);
    return writeParquet(table, draft, this.#folder, about);
  }

  async #put({ path }: ExportOutput, text: AsyncIterable<string>): Promise<void> {
    if (path !== null) return this.#files.write(path, text);
    this.poured = join(this.#folder, "poured");
    await TextFile.write(this.poured, text);
  }

  async *#counted(): AsyncGenerator<ExportedTrial> {
    for await (const trial of acceptedOnly(this.#source.trials, (refused) => (this.#refused = refused))) {
      this.#trials++;
      this.#history.set(trial.history, (this.#history.get(trial.history) ?? 0) + 1);
      for (const { metrics } of trial.points) this.#values += Object.keys(metrics).length;
      yield trial;
    }
  }

  #head(): object {
    const head = this.#source.head();
    if (head === null) return {};
    const { alsoObjectives, dataset, models, search, stopping, summary } = head;
    return { sweep: summary, models, dataset, search, stopping, alsoObjectives };
  }

  #totals(): object {
    return {
      at: new Date(this.#at).toISOString(),
      trials: this.#trials,
      values: this.#values,
      history: this.#counts(),
      files: this.#place.outputs.flatMap(({ path }) => (path === null ? [] : [basename(path)])),
    };
  }

  #counts(): Readonly<Record<HistoryState, number>> {
    const of = (state: HistoryState) => this.#history.get(state) ?? 0;
    return { whole: of("whole"), partial: of("partial"), lost: of("lost"), empty: of("empty") };
  }
}

/** Which columns are of numbers that need not be whole: metrics, and parameters that are drawn from such. */
function numberColumns(spaces: SweepView["spaces"]): (column: string) => boolean {
  const drawn = new Set(
    Object.values(spaces).flatMap((space) =>
      Object.entries(space).flatMap(([name, distribution]) =>
        continuous.has(distribution.distribution) ? [`${parameterPrefix}${name}`] : [],
      ),
    ),
  );
  return (column) => column.startsWith(metricPrefix) || drawn.has(column);
}

const continuous: ReadonlySet<string> = new Set(["uniform", "log-uniform", "normal", "log-normal", "beta"]);
