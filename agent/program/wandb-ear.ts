/**
 * Hears what a running script says to wandb, through the file of rows that its hook writes, and puts what it prints in order with
 * that: a print of the objective waits for the next step that is logged, which may say the same (WLOG-5). What a fact means is the caller's.
 */
import type { Report } from "./metric-report.ts";
import { RowTail } from "./row-tail.ts";
import { readWandbRow } from "./wandb-row.ts";
import { WandbRuns, type WandbFact } from "./wandb-runs.ts";

export interface WandbEar {
  /** What stands in a line that the script has printed. */
  print(reports: readonly Report[]): void;
  /** Resolves when all is read that was logged, and told. */
  settle(): Promise<void>;
  /** Afterwards nothing is heard. */
  close(): void;
}

export interface WandbEarOptions {
  /** A file that is not there yet. */
  readonly rows: string;
  /** What the trial is called, and so its first run unless the script says otherwise. */
  readonly trial: string;
  /** The metric whose reports are counted. */
  readonly objective: string | undefined;
  readonly onFact: (fact: WandbFact) => void;
  /** Called once for each print, now or later. */
  readonly onPrint: (reports: readonly Report[]) => void;
}

/** So long a script with a run of wandb's may print and log nothing, before it is taken at its print; so many prints may wait. */
const waitMaxMs = 30_000;
const waitingMax = 1_000;

/** Throws where the file of rows cannot be made. */
export function openWandbEar(options: WandbEarOptions): WandbEar {
  return new FileEar(options);
}

/**
 * | state   | a print of the objective | what moves it on                                                                  |
 * | ------- | ------------------------ | --------------------------------------------------------------------------------- |
 * | no run  | is given on              | a run of wandb's begins: holding                                                  |
 * | holding | waits                    | a step is logged, the run ends, prints waited too long, or all is read: decided |
 * | decided | is given on              | nothing: by now it is known whether the objective is logged                       |
 */
class FileEar implements WandbEar {
  readonly #options: WandbEarOptions;
  readonly #tail: RowTail;
  readonly #runs: WandbRuns;
  #waiting: (readonly Report[])[] = [];
  #isDecided = false;
  #timer: NodeJS.Timeout | null = null;
  #saidBad = false;

  constructor(options: WandbEarOptions) {
    const { onFact, rows, trial } = options;
    this.#options = options;
    this.#runs = new WandbRuns(trial);
    this.#tail = new RowTail({
      path: rows,
      onLine: (line) => this.#hear(line),
      onQuiet: () => this.#tell(this.#runs.tell()),
      onLoss: (sentence) => onFact({ kind: "note", text: `wandb: ${sentence}` }),
    });
  }

  print(reports: readonly Report[]): void {
    // What it logged before it printed this comes first.
    this.#tail.look();
    const { objective, onPrint } = this.#options;
    if (this.#waiting.length >= waitingMax) this.#decide();
    const mayWait = !this.#isDecided && this.#runs.isOpen;
    if (!mayWait || !reports.some(({ metric }) => metric === objective)) return onPrint(reports);
    this.#waiting.push(reports);
    this.#timer ??= setTimeout(() => this.#decide(), waitMaxMs);
  }

  async settle(): Promise<void> {
    await this.#tail.settle();
    this.#tell(this.#runs.tell());
    this.#decide();
  }

  close(): void {
    this.#tail.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #hear(line: string): void {
    const row = readWandbRow(line);
    if (row !== null) {
      this.#tell(this.#runs.hear(row));
      if (row.kind === "finish" && this.#waiting.length > 0) this.#decide();
      return;
    }
    if (!this.#saidBad)
      this.#options.onFact({ kind: "note", text: "wandb: something that was logged could not be read" });
    this.#saidBad = true;
  }

  #tell(facts: readonly WandbFact[]): void {
    for (const fact of facts) {
      this.#options.onFact(fact);
      if (fact.kind === "step" && this.#waiting.length > 0) this.#decide();
    }
  }

  #decide(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isDecided = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const reports of waiting) this.#options.onPrint(reports);
  }
}
