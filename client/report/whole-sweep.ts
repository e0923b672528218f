/** A sweep with all of its trials, asked for page by page. */
import type { MeshClient } from "../../protocol/client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepView, TrialView } from "../../protocol/view.ts";

/** Trials per answer: an answer is one message, and messages have a limit. */
const pageTrials = 200;

/** A running sweep goes on meanwhile: trials proposed after the last page are not in it. */
export async function wholeSweep(client: MeshClient, sweep: string): Promise<Outcome<SweepView>> {
  const trials: TrialView[] = [];
  for (;;) {
    const page = await client.query("sweep", {
      sweep,
      order: "number",
      offset: trials.length,
      limit: pageTrials,
    });
    if (!page.ok) return page;
    trials.push(...page.value.trials);
    const { length } = page.value.trials;
    // One with very many attempts or rungs each may hold fewer than were asked for.
    const isCut = length > 0 && page.cut?.some(({ list }) => list === "trials") === true;
    if (length < pageTrials && !isCut) return accept({ ...page.value, trials });
  }
}
