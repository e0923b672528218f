/**
 * Runs one segment of a module in this process, which is a child of the agent's: its code is a requester's. It never throws for
 * what a module can do wrong: that is a `failed` event.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setImmediate as turn } from "node:timers/promises";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { backendNameSchema } from "../../protocol/capability.ts";
import type { ModuleProgram } from "../../protocol/program.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { encodeBundle } from "../program/bundle.ts";
import { readBundle, unpackBundle } from "../program/bundle-folder.ts";
import { LeaseSegment, readSegmentNote } from "../program/lease-segment.ts";
import { readDataset } from "../runner/read-rows.ts";
import type { CheckpointFile, Job } from "../runner/runner.ts";
import type { FromChild } from "../runner/wire.ts";
import { WorkClock } from "../runner/work-clock.ts";
import { writeCheckpoint } from "../runner/write-checkpoint.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";
import type { ModuleContext, Train } from "./module-context.ts";

export interface RunModuleOptions {
  readonly emit: (event: FromChild) => void;
  readonly stopping: () => boolean;
}

interface ModuleJob extends Job {
  readonly program: ModuleProgram;
}

export function isModuleJob(job: Job): job is ModuleJob {
  return job.program?.kind === "module";
}

/** A module that reports seldom learns from its signal that it is to stop, at most so much later. */
const stopLookMs = 100;
const checkpointName = "checkpoint";

class Stopped extends Error {}

export async function runModule(job: ModuleJob, options: RunModuleOptions): Promise<void> {
  const run = new ModuleRun(job, options);
  await run.toEnd();
}

class ModuleRun {
  readonly #job: ModuleJob;
  readonly #options: RunModuleOptions;
  readonly #abort = new AbortController();
  #segment: LeaseSegment;
  #bytes: Uint8Array | null = null;
  #pending = false;
  #restored: Uint8Array | null = null;
  #file: CheckpointFile | null = null;
  #files = 0;
  readonly #clock = new WorkClock();
  /** What it had reported when it was far enough. */
  #atTarget: Record<string, number> | null = null;

  constructor(job: ModuleJob, options: RunModuleOptions) {
    this.#job = job;
    this.#options = options;
    this.#segment = new LeaseSegment(job.program, job.targetResource, null);
  }

  async toEnd(): Promise<void> {
    const { fence, trial } = this.#job;
    const look = setInterval(() => {
      if (this.#options.stopping()) this.#abort.abort(new Stopped("the trial is to stop"));
    }, stopLookMs);
    try {
      const prepared = await this.#prepare();
      if (!prepared.ok)
        return this.#fail(`trial ${trial} could not start: ${prepared.refusal.message}`, false);
      this.#options.emit({ kind: "started", fence, exact: true, ...this.#clock.lap() });
      if (this.#segment.endedBefore) return await this.#finish(this.#segment.metrics(), true);
      const { context, train } = prepared.value;
      await train(context);
      await this.#settle();
    } catch (error) {
      if (error instanceof Stopped) await this.#settle();
      else this.#fail(`the module of trial ${trial} threw: ${errorSentence(error)}`, false);
    } finally {
      clearInterval(look);
    }
  }

  /** It has come to an end, its own or because it was asked to. */
  async #settle(): Promise<void> {
    const { fence, trial } = this.#job;
    if (this.#atTarget === null && this.#options.stopping()) {
      await this.#writePending();
      const kept = this.#file ?? { path: null, digest: null, bytes: 0 };
      const { metrics, resource } = this.#progress();
      this.#options.emit({ kind: "stopped", fence, resource, metrics, ...this.#clock.lap(), ...kept });
      return;
    }
    const why = this.#segment.whyNoResult();
    if (why !== null) this.#fail(`the module of trial ${trial} has no result: ${why}`, false);
    else await this.#finish(this.#atTarget ?? this.#segment.metrics(), this.#atTarget === null);
  }

  async #prepare(): Promise<Outcome<{ readonly train: Train; readonly context: ModuleContext }>> {
    const job = this.#job;
    const { program } = job;
    const name = backendNameSchema.safeParse(job.backend);
    if (!name.success) return refuse("invalid", `there is no backend "${job.backend}"`);
    const train = await this.#load();
    if (!train.ok) return train;
    const backend = await openBackend(name.data);
    if (!backend.ok) return backend;
    const data = job.datasetPath === null ? accept(null) : await readDataset(job.datasetPath);
    if (!data.ok) return data;
    if (job.fromCheckpointPath !== null) {
      const kept = await readBundle(job.fromCheckpointPath);
      if (!kept.ok) return kept;
      const note = readSegmentNote(kept.value.note);
      if (note === null) return refuse("invalid", "its checkpoint is not one of a module");
      const file = kept.value.files.find(({ path }) => path === checkpointName);
      // One that keeps nothing begins anew, and so does the count of its reports.
      if (file !== undefined || note.ended)
        this.#segment = new LeaseSegment(program, job.targetResource, note);
      this.#restored = file === undefined ? null : Uint8Array.from(file.content);
      this.#bytes = this.#restored;
    }
    const random = stream(job.seed, "module", this.#segment.reports);
    const context: ModuleContext = {
      params: job.params,
      seed: job.seed,
      random: () => random.next(),
      data: data.value,
      backend: name.data,
      tf: backend.value.tf,
      epochs: program.fullLength === null ? null : job.targetResource,
      done: this.#segment.reports,
      restored: this.#restored,
      signal: this.#abort.signal,
      report: (metrics) => this.#report(metrics),
      checkpoint: (bytes) => this.#keep(bytes),
    };
    return accept({ train: train.value, context });
  }

  async #load(): Promise<Outcome<Train>> {
    const { checkpointDir, parts, program } = this.#job;
    const path = parts[program.bundle];
    if (path === undefined) return refuse("invalid", "its module's files did not come with it");
    const bundle = await readBundle(path);
    if (!bundle.ok) return bundle;
    const folder = join(checkpointDir, "module");
    await unpackBundle(bundle.value, folder);
    let loaded: unknown;
    try {
      loaded = await import(pathToFileURL(join(folder, program.entry)).href);
    } catch (error) {
      return refuse("invalid", `${program.entry} does not load: ${errorSentence(error)}`);
    }
    return isModule(loaded)
      ? accept(loaded.train)
      : refuse("invalid", `${program.entry} exports no function train(context)`);
  }

  async #report(metrics: Readonly<Record<string, number>>): Promise<void> {
    let heard = false;
    for (const [metric, value] of Object.entries(metrics)) {
      if (typeof value !== "number")
        throw new TypeError(`it reported ${metric} as ${typeof value}, not a number`);
      heard = this.#segment.take({ metric, value }, "call") || heard;
    }
    if (heard) {
      const { fence } = this.#job;
      const told = { resource: this.#segment.reports, metrics: this.#segment.metrics() };
      this.#options.emit({ kind: "epoch", fence, ...told, ...this.#clock.lap() });
      if (this.#pending) await this.#tellCheckpoint();
    }
    if (heard && this.#segment.isThere && this.#atTarget === null) {
      this.#atTarget = this.#segment.metrics();
      this.#abort.abort(new Stopped("the trial is as far as it was to go"));
    }
    // Lets orders in.
    await turn();
    if (this.#options.stopping()) this.#abort.abort(new Stopped("the trial is to stop"));
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
  }

  /** Kept with the report that follows, so that the two belong to the same epoch. */
  #keep(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("checkpoint takes a Uint8Array");
    this.#bytes = Uint8Array.from(bytes);
    this.#pending = true;
  }

  async #tellCheckpoint(): Promise<void> {
    const progress = this.#progress();
    await this.#writePending();
    if (this.#file === null) return;
    const { fence } = this.#job;
    this.#options.emit({ kind: "checkpoint", fence, ...progress, ...this.#clock.lap(), ...this.#file });
  }

  async #writePending(): Promise<void> {
    if (!this.#pending) return;
    this.#pending = false;
    this.#file = await this.#write(false);
  }

  async #finish(metrics: Record<string, number>, ended: boolean): Promise<void> {
    const { fence, targetResource } = this.#job;
    const file = await this.#write(ended);
    this.#options.emit({
      kind: "finished",
      fence,
      resource: targetResource,
      metrics,
      ...this.#clock.lap(),
      ...file,
    });
  }

  #write(ended: boolean): Promise<CheckpointFile> {
    const { checkpointDir, fence, trial } = this.#job;
    const files =
      this.#bytes === null ? [] : [{ path: checkpointName, content: this.#bytes, executable: false }];
    const bundle = encodeBundle({ files, note: this.#segment.note(ended) });
    return writeCheckpoint(bundle, checkpointDir, `${trial}-${fence}-${++this.#files}`);
  }

  #fail(reason: string, retryable: boolean): void {
    const { fence } = this.#job;
    this.#options.emit({ kind: "failed", fence, reason, retryable, ...this.#clock.lap() });
  }

  #progress() {
    return { resource: this.#segment.resource, metrics: this.#segment.metrics() };
  }
}

function isModule(loaded: unknown): loaded is { readonly train: Train } {
  return (
    typeof loaded === "object" && loaded !== null && "train" in loaded && typeof loaded.train === "function"
  );
}
