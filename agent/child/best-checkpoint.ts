/**
 * The checkpoint of a job's best epoch so far, by the sweep's objective, kept beside the newest. What goes on training goes on
 * from the newest; what is registered is the best. Of equal epochs the earlier counts, which cost less.
 */
import type { BestFile, CheckpointFile, Job } from "../runner/runner.ts";

export class BestCheckpoint {
  readonly #by: Job["keepBest"];
  /** Of earlier attempts at the trial: the mesh has it already, and the epochs of this one are to be better. */
  readonly #before: BestFile | undefined;
  #best: BestFile | null = null;

  /** `keepBest` is absent where only the newest is kept. */
  constructor({ bestBefore, keepBest }: Pick<Job, "bestBefore" | "keepBest">) {
    this.#by = keepBest;
    this.#before = bestBefore;
  }

  /** After each epoch, with the checkpoint of it. */
  note(resource: number, metrics: Readonly<Record<string, number>>, file: CheckpointFile): void {
    const score = this.#scoreOf(metrics);
    if (score === null) return;
    const known = this.#best ?? this.#before;
    const before = known === undefined ? null : this.#scoreOf(known.metrics);
    if (before === null || score > before) this.#best = { ...file, resource, metrics };
  }

  /** What is to be said beside the checkpoint of this epoch: nothing where it is the best itself. */
  beside(resource: number): BestFile | undefined {
    return this.#best === null || this.#best.resource === resource ? undefined : this.#best;
  }

  /** The best of the trial's epochs so far, of earlier attempts too; nothing where this epoch is. */
  ofTrial(resource: number): BestFile | undefined {
    return this.#best === null ? this.#before : this.beside(resource);
  }

  /** Larger is better; null where the epoch has no figure. */
  #scoreOf(metrics: Readonly<Record<string, number>>): number | null {
    const value = this.#by === undefined ? undefined : metrics[this.#by.metric];
    if (value === undefined || !Number.isFinite(value)) return null;
    return this.#by?.goal === "maximize" ? value : -value;
  }
}
