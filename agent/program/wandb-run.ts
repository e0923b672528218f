/**
 * One run of wandb's: its log calls merged into steps as wandb merges them (WLOG-2), and what each step says that was not said before. Not
 * what that means to the trial, nor which of a script's runs is the trial's.
 */
import type { Report } from "./metric-report.ts";
import { MetricSummary, type DefinedMetric } from "./metric-summary.ts";
import { rowNamesMax, type WandbRow } from "./wandb-row.ts";

export interface StepReports {
  readonly step: number;
  /** What the step says, each metric once. */
  readonly reports: readonly Report[];
  /** What takes the place of something that was told already. */
  readonly amended: readonly Report[];
}

/** Names told of by a run, to know whether a summary is the first to speak of one. */
const namesMax = 1_000;

export class WandbRun {
  readonly #summary = new MetricSummary();
  readonly #logged = new Set<string>();
  #step = 0;
  /** What stands in the step that is open, and what of it was told. */
  #open = new Map<string, number>();
  #told = new Map<string, number>();

  define(defined: DefinedMetric): void {
    this.#summary.define(defined);
  }

  /**
   * A step is over once another begins, or with a call that commits: one that says so, or that names neither a step nor
   * `commit`. (wandb drops what is logged for a step before; here it is a step of its own.)
   */
  log({ commit, numbers, step }: Extract<WandbRow, { kind: "log" }>): readonly StepReports[] {
    const before = step !== null && step !== this.#step ? this.#close() : [];
    if (step !== null) this.#step = step;
    for (const [name, value] of Object.entries(numbers))
      if (this.#open.size < rowNamesMax || this.#open.has(name)) this.#open.set(name, value);
    const commits = commit === true || (step === null && commit === null);
    if (!commits) return before;
    const now = this.#close();
    this.#step++;
    return [...before, ...now];
  }

  /** A figure that the script sets itself: of a metric that it logs it takes the place of the last value. */
  set({ numbers }: Extract<WandbRow, { kind: "summary" }>): readonly StepReports[] {
    const before = this.tell();
    const given = Object.entries(numbers).map(([metric, value]) => ({ metric, value }));
    const step = {
      step: this.#step,
      reports: given.filter(({ metric }) => !this.#logged.has(metric)),
      amended: given.filter(({ metric }) => this.#logged.has(metric)),
    };
    return given.length === 0 ? before : [...before, step];
  }

  /** What stands in the open step so far: more may come for it, or nothing for long. */
  tell(): readonly StepReports[] {
    const reports: Report[] = [];
    const amended: Report[] = [];
    for (const [metric, value] of this.#open) {
      const before = this.#told.get(metric);
      if (Object.is(before, value)) continue;
      const list = before === undefined ? reports : amended;
      this.#told.set(metric, value);
      if (this.#logged.size < namesMax) this.#logged.add(metric);
      list.push({ metric, value });
      list.push(...this.#summary.take({ metric, value }));
    }
    return reports.length + amended.length === 0 ? [] : [{ step: this.#step, reports, amended }];
  }

  #close(): readonly StepReports[] {
    const last = this.tell();
    this.#open = new Map();
    this.#told = new Map();
    return last;
  }
}
