/**
 * The runs of one script, as facts of its trial. The first run is the trial's own, and so is the next one after its end; a run
 * beside it (a fold, another rank of a distributed training) is told under its name, as `fold-1/score`, and never counts as the
 * trial's (WLOG-3). It reads no file.
 */
import type { Report, Unread } from "./metric-report.ts";
import { WandbRun, type StepReports } from "./wandb-run.ts";
import type { WandbRow, WandbValues } from "./wandb-row.ts";

export type WandbFact =
  /** `amended` counts as no report of its own: it takes the place of what was told. */
  | ({ readonly kind: "step" } & StepReports)
  | { readonly kind: "unread"; readonly unread: Unread }
  /** A line for the trial's log. */
  | { readonly kind: "note"; readonly text: string };

interface KnownRun {
  readonly run: WandbRun;
  /** Before each name: empty for the trial's own. */
  prefix: string;
}

/** The trial's and those beside it. */
const runsMax = 500;
/** Of a run's name before its metrics' names. */
const prefixCharactersMax = 100;
/** Said once each, of what is no number. */
const othersSaidMax = 50;

export class WandbRuns {
  readonly #trial: string;
  readonly #runs = new Map<string, KnownRun>();
  readonly #prefixes = new Set<string>([""]);
  readonly #othersSaid = new Set<string>();
  #own: string | null = null;
  #refused = false;

  /** `trial`: what runs are called that the script gives no name. */
  constructor(trial: string) {
    this.#trial = trial;
  }

  /** The trial has a run of its own that has not ended. */
  get isOpen(): boolean {
    return this.#own !== null;
  }

  hear(row: WandbRow): readonly WandbFact[] {
    switch (row.kind) {
      case "start":
        return this.#start(row);
      case "finish": {
        const facts = this.#of(row.run, (known) => known.run.tell());
        if (row.run === this.#own) this.#own = null;
        return facts;
      }
      case "metric":
        return this.#of(row.run, ({ run }) => {
          run.define(row);
          return [];
        });
      case "log":
        return [
          ...this.#of(row.run, ({ run }) => run.log(row)),
          ...this.#others(row.run, row),
          ...this.#refusal(),
        ];
      case "summary":
        return [
          ...this.#of(row.run, ({ run }) => run.set(row)),
          ...this.#others(row.run, row),
          ...this.#refusal(),
        ];
    }
  }

  /** What stands in steps that are still open. */
  tell(): readonly WandbFact[] {
    return [...this.#runs.values()].flatMap((known) => stepFacts(known, known.run.tell()));
  }

  #start({ mode, name, rank, run, version }: Extract<WandbRow, { kind: "start" }>): readonly WandbFact[] {
    if (mode === "disabled") {
      const why = "wandb is disabled in it, and what is logged then is told to nobody";
      return [
        { kind: "unread", unread: { kind: "silent", why } },
        { kind: "note", text: `wandb ${version} is disabled in this program: what it logs is not heard` },
      ];
    }
    // wandb.init gives the run that there is, where there is one.
    if (this.#runs.has(run)) return [];
    const isOwn = this.#own === null && rank === 0;
    if (isOwn) this.#own = run;
    const isNamed = name !== "" && name !== this.#trial;
    const called = isNamed ? name : `run-${this.#runs.size + 1}`;
    this.#know(run, isOwn ? "" : this.#prefixOf(rank === 0 ? called : `rank-${rank}`));
    return this.#refusal();
  }

  #know(id: string, prefix: string): KnownRun | null {
    if (this.#runs.size >= runsMax) {
      this.#refused = true;
      return null;
    }
    const known = { run: new WandbRun(), prefix };
    this.#runs.set(id, known);
    return known;
  }

  /** Of a run of which no start was told: the trial's own where there is none yet. */
  #known(id: string): KnownRun | null {
    const found = this.#runs.get(id);
    if (found !== undefined) return found;
    const isOwn = this.#own === null;
    if (isOwn) this.#own = id;
    return this.#know(id, isOwn ? "" : this.#prefixOf(id));
  }

  #of(id: string, act: (known: KnownRun) => readonly StepReports[]): readonly WandbFact[] {
    const known = this.#known(id);
    return known === null ? [] : stepFacts(known, act(known));
  }

  /** Two runs of one name are told apart. */
  #prefixOf(name: string): string {
    const short = name.slice(-prefixCharactersMax);
    let prefix = `${short}/`;
    for (let number = 2; this.#prefixes.has(prefix); number++) prefix = `${short}-${number}/`;
    this.#prefixes.add(prefix);
    return prefix;
  }

  #others(id: string, { others }: WandbValues): readonly WandbFact[] {
    const prefix = this.#runs.get(id)?.prefix ?? "";
    return Object.entries(others).flatMap(([name, type]): readonly WandbFact[] => {
      const metric = `${prefix}${name}`;
      if (this.#othersSaid.has(metric) || this.#othersSaid.size >= othersSaidMax) return [];
      this.#othersSaid.add(metric);
      return [
        { kind: "unread", unread: { kind: "value", metric, written: `a ${type}, logged to wandb` } },
        { kind: "note", text: `wandb: ${metric} is a ${type} and no number, and is not kept` },
      ];
    });
  }

  #refusal(): readonly WandbFact[] {
    if (!this.#refused || this.#othersSaid.has("")) return [];
    this.#othersSaid.add("");
    return [{ kind: "note", text: `wandb: of more than ${runsMax} runs in one trial the rest is not heard` }];
  }
}

function stepFacts({ prefix }: KnownRun, steps: readonly StepReports[]): readonly WandbFact[] {
  const named = (reports: readonly Report[]) =>
    prefix === "" ? reports : reports.map(({ metric, value }) => ({ metric: `${prefix}${metric}`, value }));
  return steps.map(({ amended, reports, step }) => ({
    kind: "step",
    step,
    reports: named(reports),
    amended: named(amended),
  }));
}
