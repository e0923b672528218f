/** One trial of a command sweep on this machine: what it has reported, and what that makes of it. Runs nothing. */
import type { Observation } from "../../search/sampler/ask.ts";
import type { Params } from "../../protocol/value.ts";
import type { CommandObjective } from "../../spec/sweep/command-sweep.ts";
import { HeardSources, type ReportSource } from "../../agent/program/heard-source.ts";
import { missingResult, UnreadNotes } from "../../agent/program/missing-result.ts";
import type { Report } from "../../agent/program/metric-report.ts";

/** `stopped` is a verdict on the trial; `interrupted` is none: the sweep ended while it ran. */
export type LocalState = "running" | "suspended" | "completed" | "stopped" | "interrupted" | "failed";

interface Rung {
  readonly resource: number;
  /** One per objective, in the objective's own sense; NaN where none was reported yet. */
  readonly values: readonly number[];
}

export class LocalTrial {
  readonly number: number;
  readonly params: Params;
  state: LocalState = "running";
  /** Why it has no result, or was stopped. */
  reason: string | null = null;
  /** Why what it printed could not be read, which fails it; null while it can. */
  unread: string | null = null;
  /** Time it ran, suspensions not counted. */
  seconds = 0;
  /** Its command came to its own end without an error, whatever it reported. */
  endedWell = false;
  readonly rungs: Rung[] = [];
  /** Every metric it has named, and what it last said of it. */
  readonly reported = new Map<string, number>();
  /** What it printed and could not be taken. */
  readonly missed = new UnreadNotes();
  private readonly objectives: readonly CommandObjective[];
  private readonly kept: (number | null)[];
  private readonly sources = new HeardSources();
  /** How often the first objective was reported: the trial's resource. */
  resource = 0;

  constructor(number: number, params: Params, objectives: readonly CommandObjective[]) {
    this.number = number;
    this.params = params;
    this.objectives = objectives;
    this.kept = objectives.map(() => null);
  }

  /** True when it was a report of the first objective. */
  take(report: Report, source: ReportSource = "output"): boolean {
    const { metric } = report;
    const how = this.sources.admit(metric, source);
    if (how === "repeats") return false;
    const isFirst = metric === this.objectives[0]?.metric;
    if (how === "instead") {
      for (const [index, objective] of this.objectives.entries())
        if (objective.metric === metric) this.kept[index] = null;
      if (isFirst) this.resource = 0;
    }
    this.put(report);
    if (isFirst) this.resource++;
    return isFirst;
  }

  /** In place of what was said last: no report of its own. */
  amend(report: Report, source: ReportSource): void {
    if (this.sources.admit(report.metric, source) === "counts") this.put(report);
  }

  private put({ metric, value }: Report): void {
    this.reported.set(metric, value);
    for (const [index, objective] of this.objectives.entries()) {
      if (objective.metric === metric)
        this.kept[index] = kept(objective.keep, this.kept[index] ?? null, value);
    }
  }

  /** One per objective; null where one of them was never reported or is not finite. */
  values(): readonly number[] | null {
    const found = this.kept.flatMap((value) => (value !== null && Number.isFinite(value) ? [value] : []));
    return found.length === this.objectives.length ? found : null;
  }

  markRung(): Rung {
    const rung = { resource: this.resource, values: this.kept.map((value) => value ?? NaN) };
    this.rungs.push(rung);
    return rung;
  }

  /** Of an ended trial without a result: which objective is missing and what came instead. */
  whyNoResult(): string | null {
    return missingResult({
      objectives: this.objectives.map(({ metric }) => metric),
      kept: this.kept,
      names: [...this.reported.keys()],
      unread: this.missed,
    });
  }

  told(): Observation {
    const oriented = (values: readonly number[]) =>
      values.map((value, index) => (this.objectives[index]?.goal === "maximize" ? -value : value));
    const values = this.values();
    const finished = this.state === "completed" || this.state === "stopped";
    return {
      number: this.number,
      params: this.params,
      state:
        this.state === "running" || this.state === "suspended"
          ? "pending"
          : this.state === "interrupted" || (this.state === "stopped" && values === null)
            ? "failed"
            : this.state,
      values: finished && values !== null ? oriented(values) : null,
      resource: this.resource,
      rungs: this.rungs.flatMap(({ resource, values: at }) => {
        const [value] = oriented(at);
        return value !== undefined && Number.isFinite(value) ? [{ resource, value }] : [];
      }),
    };
  }
}

function kept(keep: CommandObjective["keep"], before: number | null, value: number): number {
  if (keep === "last" || before === null || !Number.isFinite(before)) return value;
  if (!Number.isFinite(value)) return before;
  return keep === "min" ? Math.min(before, value) : Math.max(before, value);
}
