/** How long a mesh keeps what nothing needs to go on. Not here: what is needed (`reference.ts`), and how points and log lines are bounded that are not archived yet (their streams). */
import type { Retention, State, Sweep } from "../state/state.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A log is asked for when somebody comes back to a run, which may be after a year. */
const defaultLogsMs = 2 * 365 * dayMs;

/** Of 10,000 trials of 50 sweeps so many checkpoints stay: 150. */
export const defaultRetention: Retention = {
  checkpoints: 3,
  removedMs: 30 * dayMs,
  graceMs: hourMs,
  uploadMs: dayMs,
  logsMs: defaultLogsMs,
};

/** KEEP-1: what a sweep's own file says goes before what the mesh says. */
export function retentionFor(retention: Retention, { spec }: Pick<Sweep, "spec">) {
  const { checkpoints = retention.checkpoints, logsMs = logsMsOf(retention) } = spec.keep ?? {};
  return { checkpoints, logsMs };
}

/** What was set before logs had a time of their own says nothing of it. */
export function logsMsOf({ logsMs = defaultLogsMs }: Retention): number {
  return logsMs;
}

export function retentionOf({ meta }: State): Retention {
  return meta.retention ?? defaultRetention;
}
