/**
 * Whether one trial with all cores is faster than one trial per core: TensorFlow with one thread against
 * TensorFlow with as many as it likes, on one kind of work. Kept as data; who assigns cores decides.
 */
import * as z from "zod";
import { longText } from "../../protocol/bound.ts";
import { backendNameSchema } from "../../protocol/capability.ts";
import { probeBackend, type BackendProbe, type BackendProbeOptions } from "./backend-probe.ts";

export const threadRateSchema = z.object({
  backend: backendNameSchema,
  kind: longText,
  cores: z.int().positive(),
  /** Examples per second of one trial that may use every core. */
  allCores: z.number().positive(),
  /** And of one that has a single thread; as many of them as there are cores may run. */
  oneThread: z.number().positive(),
});
export type ThreadRate = z.infer<typeof threadRateSchema>;

/** libtensorflow reads these when it starts. */
const oneThread = { TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "1", OMP_NUM_THREADS: "1" };
/** Large products gain most from threads: what is slow here is what they matter for. */
const wantedKinds = ["text-classification/textcnn", "tabular/mlp"];

/** Empty where it makes no difference, or the second measurement gave nothing. */
export async function probeThreads(
  result: BackendProbe,
  cores: number,
  options: Pick<BackendProbeOptions, "signal"> = {},
): Promise<readonly ThreadRate[]> {
  if (result.name !== "tfjs-node" || !result.works || cores < 2) return [];
  const kinds = result.measured.map(({ kind }) => kind).filter((kind) => wantedKinds.includes(kind));
  if (kinds.length === 0) return [];
  const single = await probeBackend(result.name, { ...options, environment: oneThread, kinds });
  return single.measured.flatMap(({ kind, examplesPerSecond }) => {
    const all = result.measured.find((one) => one.kind === kind);
    if (all === undefined) return [];
    return [
      {
        backend: result.name,
        kind,
        cores,
        allCores: all.examplesPerSecond,
        oneThread: examplesPerSecond,
      },
    ];
  });
}
