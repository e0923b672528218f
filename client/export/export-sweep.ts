/** A whole sweep, or one trial, as an export. */
import type { AskingClient } from "../list/patient-client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { RowCondition } from "../list/row-condition.ts";
import { trialFields } from "../list/list-field.ts";
import { selectRows } from "../list/select-rows.ts";
import { wholeSweep } from "../list/whole-sweep.ts";
import { exportedTrials, withHistory, type ExportedTrial, type SweepHead } from "./exported-trial.ts";
import type { ExportSource } from "./export-trials.ts";

/** Those of its trials that are as all conditions say; all where there is none. */
export function sweepSource(
  client: AskingClient,
  sweep: string,
  where: readonly RowCondition[],
): ExportSource {
  let seen: SweepHead | null = null;
  const chosen = async (): Promise<Outcome<ReadonlySet<string> | null>> => {
    if (where.length === 0) return accept(null);
    const whole = await wholeSweep(client, sweep);
    if (!whole.ok) return whole;
    const rows = selectRows(whole.value.trials, trialFields(whole.value), { where });
    return rows.ok ? accept(new Set(rows.value.map(({ trial }) => trial))) : rows;
  };
  const trials = exportedTrials(client, sweep, chosen, (head) => (seen = head));
  return { trials, head: () => seen };
}

export function trialSource(client: AskingClient, trial: string): ExportSource {
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
