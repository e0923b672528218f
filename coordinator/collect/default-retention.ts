/** How long a mesh keeps what nothing needs to go on. Not here: what is needed (`reference.ts`), and how points and log lines are bounded (their streams). */
import type { Retention, State } from "../state/state.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Of 10,000 trials of 50 sweeps so many checkpoints stay: 150. */
export const defaultRetention: Retention = {
  checkpoints: 3,
  removedMs: 30 * dayMs,
  graceMs: hourMs,
  uploadMs: dayMs,
};

export function retentionOf({ meta }: State): Retention {
  return meta.retention ?? defaultRetention;
}
