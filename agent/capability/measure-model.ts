/**
 * Trains one model on one backend for a moment: its first epoch's loss must be the known one, then it is
 * timed. Wrong numbers and a model that does not run are told apart: the first condemns the backend.
 */
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { BackendName } from "../../protocol/capability.ts";
import { startWatch } from "./processor-watch.ts";
import type { OpenedBackend } from "../../training/runtime/backend.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import type { ModelDeclaration, ReferenceWork, Trainer } from "../../training/task/task.ts";
import { workloadOf } from "./workload.ts";

/** The engine compiles hot code while it runs; speed is timed after this long. */
const warmMs = 200;
/** The best of so many slices counts: what else the machine does should not set its price. */
const slices = 3;
const sliceMs = 100;
/** On a machine that others load, so many at most. */
const slicesMax = 9;
/** A slice is disturbed where others had this share; of so short a time no less can be told. */
const sliceLoadMax = 0.2;
/** An epoch that takes this long was measured well enough by running it once. */
const longEpochMs = 1_000;
/** Backends round differently; a wrong gradient is off by far more. */
const lossTolerance = 0.01;

export type Measured =
  | {
      readonly verdict: "right";
      readonly examplesPerSecond: number;
      /** How much others were in the way, 0 to 1. */
      readonly load: number;
      /** Mean log loss of the first epoch. */
      readonly loss: number;
    }
  /** It trained, and to another loss than it should have. */
  | { readonly verdict: "wrong"; readonly reason: string }
  /** It could not be trained here, such as for a kernel that is missing. */
  | { readonly verdict: "absent"; readonly reason: string };

/** `reference` is the declaration's own, which is null for models that are not measured. */
export async function measureModel(
  declaration: ModelDeclaration,
  reference: ReferenceWork,
  backend: OpenedBackend,
): Promise<Measured> {
  const kind = `${declaration.task}/${declaration.model}`;
  const params = resolveParams(declaration, reference.params);
  if (!params.ok) return { verdict: "absent", reason: params.refusal.message };
  let trainer: Trainer | null = null;
  try {
    const dataset = workloadOf(declaration.data);
    const made = declaration.create({ params: params.value, seed: 1, dataset, backend });
    if (!made.ok) return { verdict: "absent", reason: made.refusal.message };
    trainer = made.value;
    const first = startWatch(backend.name);
    const { loss } = await trainer.trainEpoch();
    const { load, ownMs } = first.end();
    if (!(Math.abs(loss - reference.loss) < lossTolerance)) {
      return {
        verdict: "wrong",
        reason: `${kind} computes wrongly: its first epoch's loss is ${loss.toFixed(4)} and should be ${reference.loss.toFixed(4)}`,
      };
    }
    const once: Speed = { epochsPerSecond: 1000 / ownMs, load };
    const speed = ownMs > longEpochMs ? once : await bestSpeed(trainer, backend.name);
    const epochsPerSecond = Math.max(once.epochsPerSecond, speed.epochsPerSecond);
    return {
      verdict: "right",
      examplesPerSecond: epochsPerSecond * reference.rowsPerEpoch,
      load: speed.load,
      loss,
    };
  } catch (error) {
    const why = errorSentence(error);
    return { verdict: "absent", reason: `${kind} does not run: ${why}` };
  } finally {
    trainer?.dispose();
  }
}

interface Speed {
  readonly epochsPerSecond: number;
  readonly load: number;
}

/**
 * PROBE-1: a slice in which others held the processor counts by the time it had it, and more are made, for one that had it throughout.
 * PROBE-13: the load is that of all the time it took: of one slice the system's counters say little.
 */
async function bestSpeed(trainer: Trainer, backend: BackendName): Promise<Speed> {
  const watch = startWatch(backend);
  await timeEpochs(trainer, warmMs, backend);
  let best = 0;
  for (let slice = 0, disturbed = 0; slice - disturbed < slices && slice < slicesMax; slice++) {
    const { epochs, isHeld, load, ownMs } = await timeEpochs(trainer, sliceMs, backend);
    best = Math.max(best, (1000 * epochs) / ownMs);
    if (isHeld || load > sliceLoadMax) disturbed++;
  }
  return { epochsPerSecond: best, load: watch.end().load };
}

async function timeEpochs(trainer: Trainer, forMs: number, backend: BackendName) {
  const watch = startWatch(backend);
  let epochs = 0;
  do {
    await trainer.trainEpoch();
    epochs++;
  } while (watch.wallMs() < forMs);
  return { ...watch.end(), epochs };
}
