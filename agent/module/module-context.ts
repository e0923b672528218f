/**
 * What a module gets: a TypeScript or JavaScript file that exports `train(context)`. Its types alone; a module imports them
 * with `import type`, which leaves nothing behind when it runs.
 */
import type { Dataset } from "../../data/row/dataset-rows.ts";
import type { BackendName } from "../../protocol/capability.ts";
import type { Params } from "../../protocol/value.ts";
import type { TensorFlow } from "../../training/runtime/backend.ts";

export interface ModuleContext {
  readonly params: Params;
  /** Of the trial: the same seed is to give the same result. */
  readonly seed: number;
  /** Uniform in [0, 1), from the seed and the reports so far. */
  readonly random: () => number;
  /** The sweep's dataset in memory; null where it names none. */
  readonly data: Dataset | null;
  readonly backend: BackendName;
  /** TensorFlow.js set to the backend; null where the sweep asks for none. */
  readonly tf: TensorFlow | null;
  /** Reports to reach; null where the module has a length of its own. */
  readonly epochs: number | null;
  /** Reports there are already, of the segments before. */
  readonly done: number;
  /** What was given to `checkpoint` last; null where there is nothing to go on from. */
  readonly restored: Uint8Array | null;
  /** Aborted once it is to stop. */
  readonly signal: AbortSignal;
  /**
   * Metrics of one more epoch. Awaiting it lets the agent speak; it throws the signal's reason once the module is to stop,
   * and needs no catching.
   */
  readonly report: (metrics: Readonly<Record<string, number>>) => Promise<void>;
  /** The module as it is now, kept with the report that follows. */
  readonly checkpoint: (bytes: Uint8Array) => void;
}

export type Train = (context: ModuleContext) => void | Promise<void>;
