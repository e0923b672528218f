/**
 * One segment of one command: its files unpacked, its process watched, its reports counted, its folder kept, its end told. It
 * decides nothing that a coordinator or an owner decides.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { CheckpointFile, RunnerEvent, StopHow } from "../runner/runner.ts";
import { readBundle, unpackBundle } from "./bundle-folder.ts";
import { CheckpointFolder } from "./checkpoint-folder.ts";
import type { CommandEnd } from "./command-end.ts";
import { expandCommand } from "./expand-command.ts";
import { LeaseSegment, readSegmentNote, type ReportSource } from "./lease-segment.ts";
import { LogGate } from "./log-gate.ts";
import type { MlflowFact } from "./mlflow-call.ts";
import { baseEnvironment, environmentOf } from "./program-environment.ts";
import type { CommandJob } from "./command-job.ts";
import { metricReader, type Report } from "./read-metrics.ts";
import { openReportEndpoint, type ReportEndpoint } from "./report-endpoint.ts";
import { runCommand, type RunningCommand } from "./run-command.ts";

export interface ProgramRunOptions {
  readonly job: CommandJob;
  readonly agentEnvironment: Readonly<Record<string, string | undefined>>;
  readonly slotEnvironment: Readonly<Record<string, string>>;
  readonly interpreter: string;
  readonly emit: (event: RunnerEvent) => void;
  /** Called once, with the last event. */
  readonly onEnd: (event: RunnerEvent) => void;
}

/** All it may write to its output in one segment. */
const outputMaxMiB = 64;
/** Between SIGTERM and SIGKILL; an agent that is told to leave waits a little longer. */
const graceMs = 4_000;
/** The checkpoint folder is looked at after a report, but not more often than this. */
const packEveryMs = 2_000;
/** So many points of its curve come at once; what comes after comes at this pace. */
const pointsFreeMax = 1_000;
const pointEveryMs = 50;

type Stopping = "target" | "asked" | "killed";

export class ProgramRun {
  readonly ended: Promise<void>;
  readonly #options: ProgramRunOptions;
  readonly #ended = Promise.withResolvers<void>();
  readonly #folder: CheckpointFolder;
  readonly #gate = new LogGate();
  #segment: LeaseSegment;
  #command: RunningCommand | null = null;
  #stopping: Stopping | null = null;
  #suspended = false;
  /** What it had reported when it was far enough. */
  #atTarget: Record<string, number> | null = null;
  #file: CheckpointFile | null = null;
  #packing: Promise<void> | null = null;
  #packedAt = -Infinity;
  #packTimer: NodeJS.Timeout | null = null;
  #packFault = "";
  #points = 0;
  #pointAt = -Infinity;

  constructor(options: ProgramRunOptions) {
    const { checkpointDir, fence, program, targetResource, trial } = options.job;
    this.#options = options;
    this.ended = this.#ended.promise;
    this.#folder = new CheckpointFolder(this.#keptFolder, checkpointDir, `${trial}-${fence}`);
    this.#segment = new LeaseSegment(program, targetResource, null);
  }

  get pid(): number | null {
    return this.#command?.pid ?? null;
  }

  get #keptFolder(): string {
    return join(this.#options.job.checkpointDir, "checkpoint");
  }

  async toEnd(): Promise<void> {
    let endpoint: ReportEndpoint | null = null;
    let last: RunnerEvent;
    try {
      const prepared = await this.#prepare();
      if (!prepared.ok) {
        last = this.#failed(`trial ${this.#options.job.trial} could not start: ${prepared.refusal.message}`, {
          retryable: prepared.refusal.code === "unavailable",
        });
      } else if (this.#segment.endedBefore) {
        // It came to its own end on its last segment, and would only do the same again.
        this.#started();
        last = await this.#finished(this.#segment.metrics(), true);
      } else {
        endpoint = await this.#openEndpoint();
        last = await this.#run(prepared.value, endpoint);
      }
    } catch (error) {
      const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      last = this.#failed(`trial ${this.#options.job.trial} stopped: ${why}`, { retryable: true });
    }
    endpoint?.close();
    if (this.#packTimer !== null) clearTimeout(this.#packTimer);
    this.#options.onEnd(last);
    this.#ended.resolve();
  }

  stop(how: StopHow): void {
    if (how === "kill") {
      this.#stopping = "killed";
      this.#command?.kill();
      return;
    }
    this.#stopping ??= "asked";
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

  /** Its files and its checkpoint in their folders; the folder it runs in. */
  async #prepare(): Promise<Outcome<string>> {
    const { job } = this.#options;
    const bundlePath = job.parts[job.program.bundle];
    if (bundlePath === undefined) return refuse("invalid", "its program's files did not come with it");
    const bundle = await readBundle(bundlePath);
    if (!bundle.ok) return bundle;
    const home = join(job.checkpointDir, "program");
    await unpackBundle(bundle.value, home);
    await this.#folder.make();
    await writeFile(this.#paramsFile, JSON.stringify(job.params), { mode: 0o600 });
    if (job.fromCheckpointPath === null) return accept(home);
    const kept = await readBundle(job.fromCheckpointPath);
    if (!kept.ok) return kept;
    const note = readSegmentNote(kept.value.note);
    if (note === null) return refuse("invalid", "its checkpoint is not one of a program");
    await unpackBundle(kept.value, this.#keptFolder);
    await this.#folder.settle();
    // A program that keeps no files begins anew, and so does the count of its reports.
    if (kept.value.files.length > 0 || note.ended)
      this.#segment = new LeaseSegment(job.program, job.targetResource, note);
    return accept(home);
  }

  get #paramsFile(): string {
    return join(this.#options.job.checkpointDir, "params.json");
  }

  #openEndpoint(): Promise<ReportEndpoint> {
    const { job } = this.#options;
    return openReportEndpoint({
      trial: job.trial,
      artifactFolder: join(job.checkpointDir, "mlflow"),
      now: Date.now,
      onReports: (reports) => this.#take(reports, "http"),
      onFact: (fact) => this.#hearMlflow(fact),
    });
  }

  async #run(folder: string, { mlflowUrl, reportUrl }: ReportEndpoint): Promise<RunnerEvent> {
    const { agentEnvironment, interpreter, job, slotEnvironment } = this.#options;
    const { program } = job;
    const own = {
      ...baseEnvironment(agentEnvironment),
      ...slotEnvironment,
      ...program.environment,
      ...environmentOf({
        trial: job.trial,
        seed: job.seed,
        resource: program.fullLength === null ? null : job.targetResource,
        checkpointDir: this.#keptFolder,
        paramsFile: this.#paramsFile,
        reportUrl,
        mlflowUrl,
      }),
    };
    const texts: { readonly path: string; readonly text: string }[] = [];
    const words = expandCommand(program, job.params, {
      trial: job.trial,
      environment: own,
      interpreter,
      platform: process.platform,
      writeFile: (text) => {
        const path = join(job.checkpointDir, `args-${texts.length + 1}.json`);
        texts.push({ path, text });
        return path;
      },
    });
    if (!words.ok)
      return this.#failed(`trial ${job.trial} could not start: ${words.refusal.message}`, {
        retryable: false,
      });
    for (const { path, text } of texts) await writeFile(path, text, { mode: 0o600 });
    if (this.#stopping !== null) return this.#stopped();
    const readLine = metricReader(program.metricFormat);
    this.#command = runCommand({
      words: words.value,
      folder,
      environment: own,
      timeoutMs: null,
      outputMaxMiB,
      memoryMaxMiB: job.memoryMiB,
      guarded: true,
      graceMs,
      onLine: (line, stream) => {
        this.#log(stream, line);
        this.#take(readLine(line), "output");
      },
    });
    this.#started();
    if (this.#suspended) this.#command.suspend();
    // What it saves after a report, and before a long way to the next one, is not to wait for that.
    const looks = setInterval(() => this.#packSoon(), packEveryMs);
    const end = await this.#command.ended;
    clearInterval(looks);
    if (this.#packTimer !== null) clearTimeout(this.#packTimer);
    await this.#packing;
    return this.#endOf(end);
  }

  async #endOf(end: CommandEnd): Promise<RunnerEvent> {
    const { trial } = this.#options.job;
    if (end.kind === "failed" && this.#stopping === null) {
      const reason =
        end.fault === "start"
          ? `trial ${trial} could not start: ${end.reason}`
          : `the program of trial ${trial} ${end.reason}`;
      return this.#failed(reason, { retryable: end.elsewhere });
    }
    // Being asked to stop, it may end by itself, and with any code.
    const byItself = end.kind === "done";
    if (byItself || this.#stopping === "target") {
      const why = this.#segment.whyNoResult();
      if (why !== null) return this.#failed(`the program of trial ${trial} has no result: ${why}`, {});
      if (this.#stopping === "target")
        return this.#finished(this.#atTarget ?? this.#segment.metrics(), false);
      if (this.#stopping === null) return this.#finished(this.#segment.metrics(), true);
    }
    return this.#stopped();
  }

  async #finished(metrics: Record<string, number>, ended: boolean): Promise<RunnerEvent> {
    const { fence, targetResource } = this.#options.job;
    const { fault, file } = await this.#folder.packWhole(this.#segment.note(ended));
    if (fault !== null) this.#log("err", `trialmesh: ${fault}`);
    return { kind: "finished", fence, resource: targetResource, metrics, usedMs: this.#usedMs, ...file };
  }

  async #stopped(): Promise<RunnerEvent> {
    const { fence } = this.#options.job;
    if (this.#stopping !== "killed") {
      const packed = await this.#folder.packIfChanged(this.#segment.note(false));
      if (packed.ok && packed.value !== null) this.#file = packed.value;
      if (!packed.ok) this.#log("err", `trialmesh: ${packed.refusal.message}`);
    }
    const kept = this.#file ?? { path: null, digest: null, bytes: 0 };
    const { metrics, resource } = this.#progress();
    return { kind: "stopped", fence, resource, metrics, usedMs: this.#usedMs, ...kept };
  }

  #failed(reason: string, { retryable = false }: { readonly retryable?: boolean }): RunnerEvent {
    return { kind: "failed", fence: this.#options.job.fence, reason, retryable, usedMs: this.#usedMs };
  }

  get #usedMs(): number {
    return this.#command?.ranMs() ?? 0;
  }

  #progress() {
    return { resource: this.#segment.resource, metrics: this.#segment.metrics() };
  }

  #started(): void {
    this.#options.emit({ kind: "started", fence: this.#options.job.fence, exact: true });
  }

  #log(stream: "out" | "err", line: string): void {
    for (const kept of this.#gate.admit(line, performance.now()))
      this.#options.emit({ kind: "log", fence: this.#options.job.fence, stream, line: kept });
  }

  #hearMlflow(fact: MlflowFact): void {
    if (fact.kind !== "metric") {
      this.#log("out", `mlflow ${fact.kind}: ${fact.name} = ${fact.value}`);
      return;
    }
    const { name, step, value } = fact;
    const isReport = this.#take([{ metric: name, value }], "http");
    if (!isReport && this.#mayDraw())
      this.#options.emit({ kind: "point", fence: this.#options.job.fence, step, metrics: { [name]: value } });
  }

  /** True where one of them was a report of the first objective. */
  #take(reports: readonly Report[], source: ReportSource): boolean {
    let heard = false;
    // All of a line first: what is told beside the objective belongs to the same report.
    for (const report of reports) heard = this.#segment.take(report, source) || heard;
    if (!heard) return false;
    const { job } = this.#options;
    if (this.#mayDraw()) {
      const metrics = this.#segment.metrics();
      const resource = this.#segment.reports;
      this.#options.emit({ kind: "epoch", fence: job.fence, resource, metrics, usedMs: this.#usedMs });
    }
    this.#packSoon();
    if (this.#segment.isThere && this.#stopping === null) {
      this.#stopping = "target";
      this.#atTarget = this.#segment.metrics();
      this.#command?.end();
    }
    return true;
  }

  #mayDraw(): boolean {
    const now = performance.now();
    if (++this.#points > pointsFreeMax && now - this.#pointAt < pointEveryMs) return false;
    this.#pointAt = now;
    return true;
  }

  #packSoon(): void {
    if (this.#segment.reports === 0 || this.#suspended) return;
    if (this.#packTimer !== null || this.#packing !== null || this.#stopping !== null) return;
    const waitMs = Math.max(0, this.#packedAt + packEveryMs - performance.now());
    this.#packTimer = setTimeout(() => {
      this.#packTimer = null;
      this.#packedAt = performance.now();
      this.#packing = this.#pack()
        .catch((error: unknown) =>
          this.#log("err", `trialmesh: its checkpoint was not kept: ${String(error)}`),
        )
        .finally(() => {
          this.#packing = null;
        });
    }, waitMs);
  }

  async #pack(): Promise<void> {
    const progress = this.#progress();
    const packed = await this.#folder.packIfChanged(this.#segment.note(false));
    if (!packed.ok) {
      if (packed.refusal.message === this.#packFault) return;
      this.#packFault = packed.refusal.message;
      return this.#log("err", `trialmesh: ${packed.refusal.message}`);
    }
    if (packed.value === null) return;
    this.#file = packed.value;
    const { fence } = this.#options.job;
    this.#options.emit({ kind: "checkpoint", fence, ...progress, usedMs: this.#usedMs, ...packed.value });
  }
}
