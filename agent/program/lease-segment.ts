/**
 * What a program has reported on one segment of its trial, and what that makes of it: how far it is, its metrics, why it has no
 * result. It goes on from what the segment before kept. Shared by commands and modules; it runs nothing.
 */
import * as z from "zod";
import { storedText, storedList, storedRecord } from "../../protocol/bound.ts";
import type { Program, ReportedObjective } from "../../protocol/program.ts";
import { HeardSources, type ReportSource } from "./heard-source.ts";
import { missingResult, UnreadNotes } from "./missing-result.ts";
import type { Report, Unread } from "./metric-report.ts";

/** Kept with a program's checkpoint: JSON, so what is not finite is null. */
const noteSchema = z.strictObject({
  kind: z.literal("program-checkpoint"),
  /** Reports of the first objective so far. */
  reports: z.int().nonnegative(),
  /** Of each objective the value that counts. */
  kept: storedList(z.number().nullable()),
  metrics: storedRecord(storedText, z.number()),
  /** It has come to its own end: there is nothing to go on with. */
  ended: z.boolean(),
});
export type SegmentNote = z.infer<typeof noteSchema>;

export function readSegmentNote(note: unknown): SegmentNote | null {
  const parsed = noteSchema.safeParse(note);
  return parsed.success ? parsed.data : null;
}

/** Metrics beside the objectives, and the characters of a name: all of them travel with each report. */
const namesMax = 500;
const nameCharactersMax = 250;

export class LeaseSegment {
  readonly #objectives: readonly ReportedObjective[];
  readonly #fullLength: number | null;
  readonly #target: number;
  readonly #kept: (number | null)[];
  readonly #metrics = new Map<string, number>();
  readonly #sources = new HeardSources();
  /** What stood when the segment began. */
  readonly #before: Pick<SegmentNote, "reports" | "kept">;
  readonly #unread = new UnreadNotes();
  #reports: number;
  /** True where the segment before had come to the program's own end. */
  readonly endedBefore: boolean;

  /** `before` is null where it begins, or has to begin anew because nothing but its note was kept. */
  constructor(
    program: Pick<Program, "objectives" | "fullLength">,
    target: number,
    before: SegmentNote | null,
  ) {
    this.#objectives = program.objectives;
    this.#fullLength = program.fullLength;
    this.#target = target;
    this.#before = { reports: before?.reports ?? 0, kept: before?.kept ?? [] };
    this.#reports = this.#before.reports;
    this.#kept = program.objectives.map((_, index) => this.#before.kept[index] ?? null);
    for (const [name, value] of Object.entries(before?.metrics ?? {})) this.#metrics.set(name, value);
    this.endedBefore = before?.ended === true;
  }

  /** Reports of the first objective, over all segments it has gone on from. */
  get reports(): number {
    return this.#reports;
  }

  /** What counts as trained while the target is not reached: a program's own end alone makes it the target. */
  get resource(): number {
    return Math.min(this.#reports, this.#target - 1);
  }

  /** True where it is to be stopped: it is as far as it may go, and could go further. */
  get isThere(): boolean {
    return this.#fullLength !== null && this.#target < this.#fullLength && this.#reports >= this.#target;
  }

  /** True when it was a report of the first objective. */
  take({ metric, value }: Report, source: ReportSource): boolean {
    const index = this.#indexOf(metric);
    if (index >= 0) {
      const how = this.#sources.admit(metric, source);
      if (how === "repeats") return false;
      if (how === "instead") {
        this.#kept[index] = this.#before.kept[index] ?? null;
        if (index === 0) this.#reports = this.#before.reports;
      }
    }
    this.#put(index, { metric, value });
    if (index === 0) this.#reports++;
    return index === 0;
  }

  /** In place of what was said last: no report of its own. */
  amend(report: Report, source: ReportSource): void {
    const index = this.#indexOf(report.metric);
    if (index < 0 || this.#sources.admit(report.metric, source) === "counts") this.#put(index, report);
  }

  #indexOf(metric: string): number {
    return this.#objectives.findIndex((objective) => objective.metric === metric);
  }

  #put(index: number, { metric, value }: Report): void {
    const objective = this.#objectives[index];
    if (objective !== undefined) this.#kept[index] = keep(objective.keep, this.#kept[index] ?? null, value);
    if (index >= 0 || this.#hasRoom(metric)) this.#metrics.set(metric, value);
  }

  /** What it printed and could not be taken, for where its result is missing. */
  miss(unread: Unread): void {
    this.#unread.hear(unread);
  }

  #hasRoom(metric: string): boolean {
    return this.#metrics.has(metric) || (this.#metrics.size < namesMax && metric.length <= nameCharactersMax);
  }

  /** What it last said of each metric; of an objective the value that counts. */
  metrics(): Record<string, number> {
    const metrics = Object.fromEntries(this.#metrics);
    for (const [index, { metric }] of this.#objectives.entries()) {
      const value = this.#kept[index];
      if (value !== null && value !== undefined) metrics[metric] = value;
    }
    return metrics;
  }

  /** Null where every objective has a finite value; else which has none, and what came instead. */
  whyNoResult(): string | null {
    return missingResult({
      objectives: this.#objectives.map(({ metric }) => metric),
      kept: this.#kept,
      names: [...this.#metrics.keys()],
      unread: this.#unread,
    });
  }

  note(ended: boolean): SegmentNote {
    const finite = [...this.#metrics].filter(([, value]) => Number.isFinite(value));
    return {
      kind: "program-checkpoint",
      reports: this.#reports,
      kept: this.#kept.map((value) => (value !== null && Number.isFinite(value) ? value : null)),
      metrics: Object.fromEntries(finite),
      ended,
    };
  }
}

function keep(how: ReportedObjective["keep"], before: number | null, value: number): number {
  if (how === "last" || before === null || !Number.isFinite(before)) return value;
  if (!Number.isFinite(value)) return before;
  return how === "min" ? Math.min(before, value) : Math.max(before, value);
}
