/** A sweep with all of its trials at once, for what looks at all of them together. */
import type { AskingClient } from "./patient-client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepView, TrialView } from "../../protocol/view.ts";
import { trialPages } from "./trial-page.ts";

/** Trials per answer: an answer is one message, and messages have a limit. */
const pageTrials = 200;

export async function wholeSweep(
  client: AskingClient,
  sweep: string,
  order: "number" | "best" = "number",
): Promise<Outcome<SweepView>> {
  const trials: TrialView[] = [];
  let last: SweepView | null = null;
  for await (const page of trialPages(client, sweep, pageTrials, order)) {
    if (!page.ok) return page;
    trials.push(...page.value.trials);
    last = page.value;
  }
  if (last === null) throw new Error("broken invariant: a sweep without a page");
  return accept({ ...last, trials });
}
