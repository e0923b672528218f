/**
 * Runs one job to its end in this process: opens, restores, trains epoch by epoch, checkpoints, reports.
 * Used by the child process and, for tasks that cost nothing, in the agent itself. It never throws for
 * what a job can do wrong: that is a `failed` event.
 */
import { readFile } from "node:fs/promises";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { backendNameSchema } from "../../protocol/capability.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { throughDiskTrouble } from "../../system/disk-trouble.ts";
import type { Dataset } from "../../data/row/dataset-rows.ts";
import { rowsOf } from "../../data/row/dataset-rows.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import type { ModelDeclaration, Restored, Trainer } from "../../training/task/task.ts";
import { readDataset } from "../runner/read-rows.ts";
import type { BestFile, CheckpointFile, Job } from "../runner/runner.ts";
import type { FromChild } from "../runner/wire.ts";
import { BestCheckpoint } from "./best-checkpoint.ts";
import { WorkClock } from "../runner/work-clock.ts";
import { writeCheckpoint, type Spared } from "../runner/write-checkpoint.ts";

export interface RunJobOptions {
  readonly emit: (event: FromChild) => void;
  /** Asked after every epoch. */
  readonly stopping: () => boolean;
  /** Waited for before every epoch: resolves at once unless the job is suspended, where it has no process of its own. */
  readonly awake?: () => Promise<void> | null;
  /** Whether this process has the job's memory to itself, and so may be judged by what it holds. */
  readonly ownProcess: boolean;
  /** Which checkpoints need no file. */
  readonly spared?: Spared | undefined;
}

export async function runJob(job: Job, options: RunJobOptions): Promise<void> {
  const { emit, stopping, awake, ownProcess } = options;
  const { fence } = job;
  const clock = new WorkClock();
  const fail = (reason: string, retryable: boolean) =>
    emit({ kind: "failed", fence, reason, retryable, ...clock.lap() });
  let trainer: Trainer | null = null;
  try {
    const prepared = await prepare(job);
    if (!prepared.ok) return fail(prepared.refusal.message, prepared.refusal.code === "unavailable");
    trainer = prepared.value.trainer;
    const hasTest = prepared.value.hasTest;
    emit({ kind: "started", fence, exact: prepared.value.exact, ...clock.lap() });
    let metrics: Record<string, number> = {};
    const at = (resource: number) => ({ fence, resource, metrics, ...clock.lap() });
    let file: CheckpointFile | null = null;
    const kept = new BestCheckpoint(job);
    const keep = (bytes: Uint8Array, name: string) => keepCheckpoint(bytes, job, name, options);
    while (trainer.epoch < job.targetResource) {
      const rest = awake?.() ?? null;
      if (rest !== null) await rest;
      if (stopping()) {
        const newest = file ?? { path: null, digest: null, bytes: 0 };
        const best = kept.beside(trainer.epoch);
        return emit({ kind: "stopped", ...at(trainer.epoch), ...newest, best });
      }
      const { loss, why = diverged(job, trainer.epoch) } = await trainer.trainEpoch();
      if (!Number.isFinite(loss)) return fail(why, false);
      metrics = { loss, ...trainer.evaluate("validation") };
      const resource = trainer.epoch;
      const last = resource >= job.targetResource;
      if (last && hasTest) metrics = { ...metrics, ...prefixed(trainer.evaluate("test")) };
      emit({ kind: "epoch", ...at(resource) });
      const tooMuch = ownProcess ? holdsTooMuch(job) : null;
      if (tooMuch !== null) return fail(tooMuch, false);
      file = await keep(trainer.save(), `${job.trial}-${fence}-${resource}`);
      kept.note(resource, metrics, file);
      const best = kept.beside(resource);
      emit({ kind: "checkpoint", ...at(resource), ...file, best });
      if (!last) continue;
      const built = trainer.built === undefined ? {} : { built: trainer.built };
      const tested = hasTest ? await testBest(trainer, kept.ofTrial(resource), keep) : undefined;
      return emit({ kind: "finished", ...at(resource), ...file, ...built, best: tested ?? best });
    }
    fail(
      `trial ${job.trial} has ${trainer.epoch} epochs already and was asked for ${job.targetResource}`,
      false,
    );
  } catch (error) {
    fail(`trial ${job.trial} stopped: ${errorSentence(error)}`, true);
  } finally {
    trainer?.dispose();
  }
}

function diverged({ trial }: Job, epoch: number): string {
  return `the loss of trial ${trial} is not a number in epoch ${epoch}; a lower learning rate may help`;
}

/** Null where the process holds no more than it may. */
function holdsTooMuch({ memoryMiB, trial }: Job): string | null {
  const heldMiB = Math.round(process.memoryUsage.rss() / bytesPerMiB);
  if (heldMiB <= memoryMiB) return null;
  return `trial ${trial} holds ${heldMiB} MiB of memory and may hold ${memoryMiB} MiB; fewer buckets or a smaller width need less`;
}

/**
 * BEST-3: the test's figures of the best epoch, in its metrics and in its checkpoint: a registered model has them whichever epoch it is
 * of. The trainer is done with training, and has that epoch's weights from here on. Undefined where the newest is the best, where
 * an earlier attempt's best has them, and where its file is here no more.
 */
async function testBest(
  trainer: Trainer,
  best: BestFile | undefined,
  keep: (bytes: Uint8Array, name: string) => Promise<CheckpointFile>,
): Promise<BestFile | undefined> {
  if (best === undefined) return undefined;
  const named = Object.keys(prefixed(best.metrics));
  if (Object.keys(best.metrics).some((name) => named.includes(name))) return undefined;
  const bytes = best.content ?? (await readFile(best.path).catch(() => null));
  if (bytes === null) return undefined;
  const restored = trainer.restore(bytes);
  if (!restored.ok) return undefined;
  trainer.evaluate("validation");
  const metrics = { ...best.metrics, ...prefixed(trainer.evaluate("test")) };
  const file = await keep(trainer.save(), `best-${best.resource}`);
  return { ...file, resource: best.resource, metrics };
}

/** DISK-1: a disk that takes nothing is waited for, until the job is to stop. */
function keepCheckpoint(
  bytes: Uint8Array,
  { checkpointDir, fence }: Job,
  name: string,
  { emit, stopping, spared }: Pick<RunJobOptions, "emit" | "stopping" | "spared">,
): Promise<CheckpointFile> {
  return throughDiskTrouble(
    checkpointDir,
    () => writeCheckpoint(bytes, checkpointDir, name, spared),
    (line) => emit({ kind: "log", fence, stream: "err", line }),
    () => !stopping(),
  );
}

interface Prepared {
  readonly trainer: Trainer;
  readonly hasTest: boolean;
  /** False where it goes on from a checkpoint of another backend. */
  readonly exact: boolean;
}

async function prepare(job: Job): Promise<Outcome<Prepared>> {
  const found = findModel(job.task, job.model);
  if (!found.ok) return found;
  const declaration: ModelDeclaration = found.value;
  const params = resolveParams(declaration, job.params);
  if (!params.ok) return params;
  const name = backendNameSchema.safeParse(job.backend);
  if (!name.success || !declaration.backends.includes(name.data)) {
    return refuse(
      "invalid",
      `model ${job.model} runs on ${declaration.backends.join(", ")}, not on "${job.backend}"`,
    );
  }
  const backend = await openBackend(name.data);
  if (!backend.ok) return backend;
  let dataset: Dataset | null = null;
  if (declaration.data !== "none") {
    if (job.datasetPath === null)
      return refuse("invalid", `task ${job.task} needs a dataset and trial ${job.trial} has none`);
    const read = await readDataset(job.datasetPath);
    if (!read.ok) return read;
    dataset = read.value;
  }
  const created = declaration.create({
    params: params.value,
    seed: job.seed,
    dataset,
    backend: backend.value,
    job: {
      parts: job.parts,
      workDir: job.checkpointDir,
      datasetPath: job.datasetPath,
      expectationsPath: job.expectationsPath,
      memoryMiB: job.memoryMiB,
    },
  });
  if (!created.ok) return created;
  const trainer = created.value;
  let exact = true;
  if (job.fromCheckpointPath !== null) {
    const restored = await restore(trainer, job.fromCheckpointPath, job.fromResource);
    if (!restored.ok) {
      trainer.dispose();
      return restored;
    }
    exact = restored.value.exact;
  }
  return accept({ trainer, exact, hasTest: dataset !== null && rowsOf(dataset).test > 0 });
}

async function restore(trainer: Trainer, path: string, resource: number): Promise<Outcome<Restored>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return refuse("unavailable", `the checkpoint ${path} cannot be read: ${errorSentence(error)}`);
  }
  const restored = trainer.restore(bytes);
  if (restored.ok && trainer.epoch !== resource) {
    return refuse(
      "invalid",
      `the checkpoint ${path} has ${trainer.epoch} epochs, not the ${resource} it is said to have`,
    );
  }
  return restored;
}

/** `accuracy` on the test split is called `testAccuracy`. */
function prefixed(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      `test${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      value,
    ]),
  );
}
