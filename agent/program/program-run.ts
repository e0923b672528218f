/**
 * One segment of one command: its process watched, its reports counted, its folder kept, its end reported. It
 * decides nothing that a coordinator or an owner decides.
 */
import { errorSentence } from "../../protocol/error-sentence.ts";
import { tmpdir } from "node:os";
import type { RunnerEvent, StopHow } from "../runner/runner.ts";
import { CheckpointFolder } from "./checkpoint-folder.ts";
import { CheckpointPacker, packEveryMs } from "./checkpoint-packer.ts";
import type { CommandEnd } from "./command-end.ts";
import type { ReportSource } from "./heard-source.ts";
import { LeaseSegment } from "./lease-segment.ts";
import { LogGate } from "../runner/log-gate.ts";
import type { MlflowFact } from "./mlflow-fact.ts";
import type { Mask } from "./secret-mask.ts";
import { PointPace } from "./point-pace.ts";
import {
  artifactFolderOf,
  confinementOf,
  keptFolderOf,
  prepareProgram,
  programStart,
  wandbFolderOf,
  type ProgramPlace,
} from "./prepare-program.ts";
import { lackIn } from "./machine-lack.ts";
import { openMetricReader, type MetricReader } from "./metric-reader.ts";
import type { Report } from "./metric-report.ts";
import { openReportEndpoint, type ReportEndpoint } from "./report-endpoint.ts";
import { runCommand, type RunningCommand } from "./run-command.ts";
import type { StartTurn } from "./start-turn.ts";
import { openWandbEar, type WandbEar } from "./wandb-ear.ts";
import { wandbRowsOf } from "./wandb-place.ts";
import type { WandbFact } from "./wandb-runs.ts";

export interface ProgramRunOptions extends ProgramPlace {
  readonly emit: (event: RunnerEvent) => void;
  readonly turns: StartTurn;
  /** Called once, with the last event. */
  readonly onEnd: (event: RunnerEvent) => void;
}

/** All it may write to its output in one segment. */
const outputMaxMiB = 64;
/** Between SIGTERM and SIGKILL; an agent that is asked to leave waits a little longer. */
const graceMs = 4_000;

type Stop =
  | { readonly kind: "asked" | "killed" }
  /** Far enough, and could go further: what it had reported by then. */
  | { readonly kind: "target"; readonly metrics: Record<string, number> };

type State =
  | { readonly kind: "preparing"; readonly stop: Stop | null }
  | { readonly kind: "running"; readonly command: RunningCommand; readonly packer: CheckpointPacker }
  | {
      readonly kind: "stopping";
      readonly command: RunningCommand;
      readonly packer: CheckpointPacker;
      readonly stop: Stop;
    }
  | { readonly kind: "over" };

/**
 * | state     | what it does                                | what moves it on                                          |
 * | --------- | ------------------------------------------- | --------------------------------------------------------- |
 * | preparing | unpacks its files, opens its endpoint; a    | ready: running, or over where it was stopped meanwhile,   |
 * |           | `stop` is kept until it is ready            | cannot start, or came to its own end a segment before     |
 * | running   | hears reports, keeps its folder             | far enough, or `stop`: stopping; its process's end: over, |
 * |           |                                             | finished with code 0 and a result, else failed            |
 * | stopping  | hears reports still, but keeps no more of   | `stop` by kill: killed, whatever was wanted before; its   |
 * |           | its folder before its end                   | process's end: over, finished at its target, else stopped |
 * | over      | nothing: its last event is told             | nothing                                                   |
 *
 * In any of them it may be suspended: a process that begins meanwhile stands still at once, one that is asked to stop goes on.
 */
export class ProgramRun {
  readonly ended: Promise<void>;
  readonly #options: ProgramRunOptions;
  readonly #ended = Promise.withResolvers<void>();
  readonly #folder: CheckpointFolder;
  readonly #gate = new LogGate();
  readonly #pace = new PointPace();
  #state: State = { kind: "preparing", stop: null };
  #suspended = false;
  /** Takes its secrets out of whatever is told of it. */
  #mask: Mask = (event) => event;
  readonly #faults = new Set<string>();
  #segment: LeaseSegment;
  /** Why what it prints could not be read, which ends it; null while it can. */
  #unread: string | null = null;

  constructor(options: ProgramRunOptions) {
    const { checkpointDir, fence, program, targetResource, trial } = options.job;
    this.#options = options;
    this.ended = this.#ended.promise;
    this.#folder = new CheckpointFolder(keptFolderOf(options.job), checkpointDir, `${trial}-${fence}`);
    this.#segment = new LeaseSegment(program, targetResource, null);
  }

  get pid(): number | null {
    return this.#command?.pid ?? null;
  }

  async toEnd(): Promise<void> {
    const { job, onEnd } = this.#options;
    let endpoint: ReportEndpoint | null = null;
    let last: RunnerEvent;
    try {
      const prepared = await prepareProgram(job, this.#folder);
      if (prepared.ok) this.#segment = prepared.value.segment ?? this.#segment;
      if (!prepared.ok) {
        const { code, message } = prepared.refusal;
        last = this.#failed(`trial ${job.trial} could not start: ${message}`, code === "unavailable");
      } else if (this.#segment.endedBefore) {
        // It came to its own end on its last segment, and would only do the same again.
        this.#started();
        last = await this.#finished(this.#segment.metrics(), true);
      } else {
        endpoint = await this.#openEndpoint();
        last = await this.#run(prepared.value.home, endpoint);
      }
    } catch (error) {
      const why = errorSentence(error);
      last = this.#failed(`trial ${job.trial} stopped: ${why}`, true);
    }
    endpoint?.close();
    await this.#packer?.close();
    this.#state = { kind: "over" };
    onEnd(this.#mask(last));
    this.#ended.resolve();
  }

  stop(how: StopHow): void {
    if (how === "kill") {
      this.#stopFor({ kind: "killed" });
      this.#command?.kill();
      return;
    }
    if (this.#stop === null) this.#stopFor({ kind: "asked" });
    this.resume();
    this.#command?.end();
  }

  suspend(): void {
    if (this.#suspended) return;
    this.#suspended = true;
    this.#command?.suspend();
  }

  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.#command?.resume();
  }

  get #command(): RunningCommand | null {
    return "command" in this.#state ? this.#state.command : null;
  }

  get #packer(): CheckpointPacker | null {
    return "packer" in this.#state ? this.#state.packer : null;
  }

  get #stop(): Stop | null {
    return "stop" in this.#state ? this.#state.stop : null;
  }

  #stopFor(stop: Stop): void {
    const state = this.#state;
    if (state.kind === "preparing") this.#state = { ...state, stop };
    else if (state.kind !== "over") this.#state = { ...state, kind: "stopping", stop };
  }

  #openEndpoint(): Promise<ReportEndpoint> {
    const { job } = this.#options;
    return openReportEndpoint({
      trial: job.trial,
      artifactFolder: artifactFolderOf(job),
      now: Date.now,
      objectives: job.program.objectives.map(({ metric }) => metric),
      onReports: (reports) => this.#take(reports, "http"),
      onFact: (fact) => this.#hearMlflow(fact),
    });
  }

  async #run(folder: string, endpoint: ReportEndpoint): Promise<RunnerEvent> {
    const { job } = this.#options;
    const start = await programStart(this.#options, endpoint);
    if (!start.ok) {
      const { code, message } = start.refusal;
      return this.#failed(`trial ${job.trial} could not start: ${message}`, code === "unavailable");
    }
    this.#mask = start.value.mask;
    const confinement = await confinementOf(this.#options, endpoint);
    await this.#options.turns.take();
    if (this.#stop !== null) return this.#stopped();
    const ear = openWandbEar({
      rows: wandbRowsOf(wandbFolderOf(job)),
      trial: job.trial,
      objective: job.program.objectives[0]?.metric,
      onFact: (fact) => this.#hearWandb(fact),
      onPrint: (reports) => this.#take(reports, "output"),
    });
    const reader = this.#openReader(ear);
    const command = runCommand({
      words: start.value.words,
      environment: start.value.environment,
      folder,
      confinement,
      timeoutMs: null,
      outputMaxMiB,
      memoryMaxMiB: job.memoryMiB,
      guarded: true,
      graceMs,
      onLine: (line, stream) => this.#log(stream, line),
      onText: (text, cut) => reader.read(text, cut),
      ready: () => reader.ready(),
      onExit: () => this.#emit({ kind: "exited", fence: job.fence, usedMs: this.#usedMs }),
    });
    const packer = this.#makePacker();
    this.#state = { kind: "running", command, packer };
    this.#started();
    if (this.#suspended) command.suspend();
    // What it saves after a report, and before a long way to the next one, is not to wait for that.
    const looks = setInterval(() => this.#packSoon(), packEveryMs);
    const end = await command.ended;
    clearInterval(looks);
    await this.#readToEnd(reader, ear);
    await packer.close();
    return this.#endOf(end, folder);
  }

  async #readToEnd(reader: MetricReader, ear: WandbEar): Promise<void> {
    if (this.#stop?.kind !== "killed") {
      await reader.settle();
      await ear.settle();
    }
    reader.close();
    ear.close();
    for (const line of this.#gate.end()) this.#tell("out", line);
  }

  #openReader(ear: WandbEar): MetricReader {
    const { metricFormat, objectives } = this.#options.job.program;
    return openMetricReader({
      patterns: metricFormat,
      names: objectives.map(({ metric }) => metric),
      onUnread: (unread) => this.#segment.miss(unread),
      onReports: (reports) => ear.print(reports),
      onFault: (reason) => {
        this.#unread = reason;
        this.#command?.kill();
      },
    });
  }

  #makePacker(): CheckpointPacker {
    const { job } = this.#options;
    return new CheckpointPacker({
      folder: this.#folder,
      segment: this.#segment,
      onKept: (file, progress) =>
        this.#emit({ kind: "checkpoint", fence: job.fence, ...progress, usedMs: this.#usedMs, ...file }),
      onFault: (reason) => this.#sayFault(reason),
    });
  }

  /** What this machine lacks, where that made it fail. */
  #lackOf({ lacks, own }: Extract<CommandEnd, { kind: "failed" }>, folder: string): string | undefined {
    if (own === undefined) return lacks;
    const { checkpointDir, params } = this.#options.job;
    return lackIn(own, { folder, ownFolders: [checkpointDir, tmpdir()], params }) ?? undefined;
  }

  async #endOf(end: CommandEnd, folder: string): Promise<RunnerEvent> {
    const { trial } = this.#options.job;
    const stop = this.#stop;
    if (this.#unread !== null && stop === null)
      return this.#failed(`the output of trial ${trial} could not be read: ${this.#unread}`, false);
    if (end.kind === "failed" && stop === null) {
      const reason =
        end.fault === "start"
          ? `trial ${trial} could not start: ${end.reason}`
          : `the program of trial ${trial} ${end.reason}`;
      const lacks = this.#lackOf(end, folder);
      return this.#failed(reason, end.elsewhere || lacks !== undefined, lacks);
    }
    // Being asked to stop, it may end by itself, and with any code.
    if (end.kind === "done" || stop?.kind === "target") {
      const why = this.#segment.whyNoResult();
      if (why !== null) return this.#failed(`the program of trial ${trial} has no result: ${why}`, false);
      if (stop?.kind === "target") return this.#finished(stop.metrics, false);
      if (stop === null) return this.#finished(this.#segment.metrics(), true);
    }
    return this.#stopped();
  }

  async #finished(metrics: Record<string, number>, ended: boolean): Promise<RunnerEvent> {
    const { fence, program, targetResource, trial } = this.#options.job;
    const { fault, file } = await this.#folder.packWhole(this.#segment.note(ended));
    if (fault !== null) this.#sayFault(fault);
    // One that is stopped at a rung may write it at its own end only.
    if (program.output !== undefined && ended) {
      const none = (await this.#folder.isEmpty()) ? "it is empty" : fault;
      const what = `the program of trial ${trial} left nothing in its output folder ${program.output}`;
      if (none !== null) return this.#failed(`${what}: ${none}`, false);
    }
    return { kind: "finished", fence, resource: targetResource, metrics, usedMs: this.#usedMs, ...file };
  }

  async #stopped(): Promise<RunnerEvent> {
    const { fence } = this.#options.job;
    const packer = this.#packer ?? this.#makePacker();
    const file = this.#stop?.kind === "killed" ? packer.file : await packer.last();
    const kept = file ?? { path: null, digest: null, bytes: 0 };
    const { resource } = this.#segment;
    const metrics = this.#segment.metrics();
    return { kind: "stopped", fence, resource, metrics, usedMs: this.#usedMs, ...kept };
  }

  #failed(reason: string, retryable: boolean, lacks?: string): RunnerEvent {
    return { kind: "failed", fence: this.#options.job.fence, reason, retryable, usedMs: this.#usedMs, lacks };
  }

  get #usedMs(): number {
    return this.#command?.ranMs() ?? 0;
  }

  #started(): void {
    this.#emit({
      kind: "started",
      fence: this.#options.job.fence,
      exact: true,
      usedMs: this.#usedMs,
    });
  }

  #emit(event: RunnerEvent): void {
    this.#options.emit(this.#mask(event));
  }

  #log(stream: "out" | "err", line: string): void {
    for (const kept of this.#gate.admit(line, performance.now())) this.#tell(stream, kept);
  }

  /** Whatever keeps its checkpoint from being kept is found again and again, and said once. */
  #sayFault(reason: string): void {
    if (this.#faults.has(reason)) return;
    this.#faults.add(reason);
    this.#log("err", `trialmesh: ${reason}`);
  }

  #tell(stream: "out" | "err", line: string): void {
    this.#emit({ kind: "log", fence: this.#options.job.fence, stream, line });
  }

  #hearMlflow(fact: MlflowFact): void {
    if (fact.kind !== "metric") {
      this.#log("out", `mlflow ${fact.kind}: ${fact.name} = ${fact.value}`);
      return;
    }
    const { name, step, value } = fact;
    const isReport = this.#take([{ metric: name, value }], "http");
    if (!isReport) this.#draw(step, { [name]: value });
  }

  #hearWandb(fact: WandbFact): void {
    if (fact.kind === "unread") return this.#segment.miss(fact.unread);
    if (fact.kind === "note") return this.#log("out", fact.text);
    for (const report of fact.amended) this.#segment.amend(report, "wandb");
    const isReport = this.#take(fact.reports, "wandb");
    if (isReport || fact.reports.length === 0) return;
    this.#draw(
      Math.max(0, fact.step),
      Object.fromEntries(fact.reports.map(({ metric, value }) => [metric, value])),
    );
  }

  /** A point of a curve that is no report. */
  #draw(step: number, metrics: Record<string, number>): void {
    if (this.#pace.admit(performance.now()))
      this.#emit({ kind: "point", fence: this.#options.job.fence, step, metrics });
  }

  /** True where one of them was a report of the first objective. */
  #take(reports: readonly Report[], source: ReportSource): boolean {
    let heard = false;
    // All of a line first: what stands beside the objective belongs to the same report.
    for (const report of reports) heard = this.#segment.take(report, source) || heard;
    if (!heard) return false;
    const { job } = this.#options;
    if (this.#pace.admit(performance.now())) {
      const metrics = this.#segment.metrics();
      const resource = this.#segment.reports;
      this.#emit({ kind: "epoch", fence: job.fence, resource, metrics, usedMs: this.#usedMs });
    }
    this.#packSoon();
    if (this.#segment.isThere && this.#state.kind === "running") {
      this.#stopFor({ kind: "target", metrics: this.#segment.metrics() });
      this.#command?.end();
    }
    return true;
  }

  #packSoon(): void {
    if (this.#state.kind === "running" && this.#segment.reports > 0 && !this.#suspended)
      this.#state.packer.soon();
  }
}
