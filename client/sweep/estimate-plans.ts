/** What the sweeps of a file would cost whoever asks. Launches and sends nothing. */
import type { MeshClient } from "../../protocol/client.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import type { Environment } from "../../system/environment.ts";
import { datasetRefReader, planSpec } from "./plan-spec.ts";

export interface EstimatedSweep {
  readonly name: string;
  readonly beyondBudget: boolean;
  readonly estimate: EstimateView;
}

/** One for each plan; the data of each is read or built here. */
export async function estimatePlans(
  client: MeshClient,
  plans: readonly SweepPlan[],
  environment: Environment,
): Promise<Outcome<readonly EstimatedSweep[]>> {
  const readRef = datasetRefReader(client, environment);
  const estimates: EstimatedSweep[] = [];
  for (const plan of plans) {
    const spec = await planSpec(plan, readRef);
    if (!spec.ok) return spec;
    const { beyondBudget, name } = spec.value;
    const estimate = await client.query("estimate", { requester: client.who, spec: spec.value });
    if (!estimate.ok) return estimate;
    estimates.push({ name, beyondBudget, estimate: estimate.value });
  }
  return accept(estimates);
}

/** Those that a launch would be refused for: even the least they cost is more than there is. */
export function tooDear(estimates: readonly EstimatedSweep[]): readonly EstimatedSweep[] {
  return estimates.filter(({ beyondBudget, estimate }) => !estimate.fits && !beyondBudget);
}
