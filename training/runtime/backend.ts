/** What an opened backend is. Opening one is `open.ts`; whether it can be trusted is the probe's question. */
import type * as tensorflow from "@tensorflow/tfjs-core";
import type { BackendName } from "../../protocol/capability.ts";

export type TensorFlow = typeof tensorflow;

export interface OpenedBackend {
  readonly name: BackendName;
  readonly version: string;
  /** What it computes on, as it names that itself; left out where there is nothing to say. */
  readonly device?: string;
  /** TensorFlow.js set to this backend, or null for the backends that need none of it. */
  readonly tf: TensorFlow | null;
}

/** Our own typed-array engine; the same wherever JavaScript runs. */
export const sparseBackend: OpenedBackend = { name: "sparse", version: "1", tf: null };
/** For tasks that compute nothing. */
export const noBackend: OpenedBackend = { name: "none", version: "1", tf: null };

/** The values of a computed tensor; all tensors made on the way are freed. */
export function valuesOf(tf: TensorFlow, compute: () => tensorflow.Tensor): Float32Array {
  // Only the tensor leaves `tidy`: it would search a returned array element by element.
  const tensor = tf.tidy(compute);
  const values = tensor.dataSync<"float32">();
  tensor.dispose();
  return values;
}

/** Whether a package that was loaded by name is TensorFlow.js with its core. */
export function isTensorFlow(value: unknown): value is TensorFlow {
  return (
    typeof value === "object" &&
    value !== null &&
    "ready" in value &&
    "getBackend" in value &&
    "tidy" in value
  );
}
