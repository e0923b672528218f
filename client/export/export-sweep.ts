/** A whole sweep, or one trial, as an export. */
import type { MeshClient } from "../../protocol/client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { TrialView } from "../../protocol/view.ts";
import { exportedTrials, withHistory, type ExportedTrial, type SweepHead } from "./exported-trial.ts";
import type { ExportSource } from "./export-trials.ts";

/** Which of its trials are exported. */
export type Wanted = (trial: TrialView, head: SweepHead) => Outcome<boolean>;

export function sweepSource(client: MeshClient, sweep: string, wanted: Wanted): ExportSource {
  let seen: SweepHead | null = null;
  const trials = exportedTrials(client, sweep, wanted, (head) => (seen = head));
  return { trials, head: () => seen };
}

export function trialSource(client: MeshClient, trial: string): ExportSource {
  let seen: SweepHead | null = null;
  async function* one(): AsyncGenerator<Outcome<ExportedTrial>> {
    const view = await client.query("trial", { trial });
    if (!view.ok) {
      yield view;
      return;
    }
    const sweep = await client.query("sweep", { sweep: view.value.sweep, limit: 1 });
    if (!sweep.ok) {
      yield sweep;
      return;
    }
    seen = sweep.value;
    yield* withHistory(client, sweep.value, [view.value]);
  }
  return { trials: one(), head: () => seen };
}

/** Every trial. */
export const everyTrial: Wanted = () => accept(true);
