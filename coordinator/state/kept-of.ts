/** The checkpoint that a trial stands for: its best epoch's where that was kept, else its newest. What goes on training goes on from the newest. */
import type { Trial } from "./state.ts";

export interface KeptEpoch {
  readonly resource: number;
  readonly digest: string;
  readonly bytes: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Null before anything was kept. */
export function keptOf({ best, checkpoint, checkpointBytes, metrics }: Trial): KeptEpoch | null {
  if (best !== undefined) return best;
  return checkpoint === null ? null : { ...checkpoint, bytes: checkpointBytes, metrics };
}
