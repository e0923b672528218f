/**
 * A checkpoint that also holds the best epoch so far: its tensors stand beside the current ones under names of
 * their own, and not at all where the current epoch is the best. Who reads the checkpoint as a model's sees
 * the current one. When it is worth going back is `patience.ts`.
 */
import * as z from "zod";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { decodeCheckpoint, encodeCheckpoint, type CheckpointMeta } from "./checkpoint.ts";
import type { TensorData } from "../tensor/tensor-data.ts";

export interface BestEpoch {
  readonly epoch: number;
  readonly trainingLoss: number;
  readonly validationLoss: number;
  /** The model's own checkpoint of that epoch. */
  readonly bytes: Uint8Array;
}

export interface BestState {
  readonly best: BestEpoch | null;
  /** Epochs counted since training settled at the best one; null while it goes on. */
  readonly settledEpochs: number | null;
}

const tensorPrefix = "best.";
const extraName = "best";
const stateSchema = z.strictObject({
  epoch: z.int().nonnegative(),
  step: z.int().nonnegative(),
  trainingLoss: z.number(),
  validationLoss: z.number(),
  settledEpochs: z.int().nonnegative().nullable(),
});

/** `current` is the model's own checkpoint as it is now. */
export function joinBest(current: Uint8Array, { best, settledEpochs }: BestState): Uint8Array {
  if (best === null) return current;
  const { meta, tensors } = decoded(current);
  const then = decoded(best.bytes);
  const joined = new Map(tensors);
  if (then.meta.epoch !== meta.epoch)
    for (const [name, tensor] of then.tensors) joined.set(tensorPrefix + name, tensor);
  const { epoch, trainingLoss, validationLoss } = best;
  const state: z.infer<typeof stateSchema> = {
    epoch,
    step: then.meta.step,
    trainingLoss,
    validationLoss,
    settledEpochs,
  };
  const extra = { ...meta.extra, [extraName]: JSON.stringify(state) };
  return encodeCheckpoint({ ...meta, epoch: meta.epoch + (settledEpochs ?? 0), extra }, joined);
}

/** The two again; a checkpoint without a best epoch is all current. */
export function partBest(bytes: Uint8Array): Outcome<BestState & { readonly current: Uint8Array }> {
  const whole = decodeCheckpoint(bytes);
  if (!whole.ok) return whole;
  const { [extraName]: told, ...extra } = whole.value.meta.extra;
  if (told === undefined) return accept({ current: bytes, best: null, settledEpochs: null });
  let raw: unknown = null;
  try {
    raw = JSON.parse(String(told));
  } catch {
    // Told below.
  }
  const state = stateSchema.safeParse(raw);
  if (!state.success) return refuse("invalid", "the checkpoint does not say which epoch was its best");
  const { epoch, step, trainingLoss, validationLoss, settledEpochs } = state.data;
  const now = new Map<string, TensorData>();
  const then = new Map<string, TensorData>();
  for (const [name, tensor] of whole.value.tensors) {
    if (name.startsWith(tensorPrefix)) then.set(name.slice(tensorPrefix.length), tensor);
    else now.set(name, tensor);
  }
  const { report: _report, ...plain } = whole.value.meta;
  const meta: CheckpointMeta = { ...plain, extra };
  const current = encodeCheckpoint({ ...meta, epoch: meta.epoch - (settledEpochs ?? 0) }, now);
  const bestBytes = then.size === 0 ? current : encodeCheckpoint({ ...meta, epoch, step }, then);
  return accept({
    current,
    best: { epoch, trainingLoss, validationLoss, bytes: bestBytes },
    settledEpochs,
  });
}

/** Of bytes this process wrote. */
function decoded(bytes: Uint8Array) {
  const read = decodeCheckpoint(bytes);
  if (!read.ok) throw new Error(read.refusal.message);
  return read.value;
}
