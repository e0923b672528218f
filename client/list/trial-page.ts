/**
 * A sweep's trials, asked for page by page, so that a sweep of any size is gone through with little memory. A running
 * sweep goes on meanwhile: trials proposed after the last page are in none.
 */
import { patientClient, type AskingClient } from "./patient-client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepView } from "../../protocol/view.ts";

/** Lists of trials that an answer which does not fit one message has too few entries of. */
const listsOfTrials: ReadonlySet<string> = new Set(["trials", "attempts", "rungs"]);

/** `size`: trials per page, at most; where they do not fit one answer, pages are smaller. A refusal ends it. */
export async function* trialPages(
  client: AskingClient,
  sweep: string,
  size: number,
  order: "number" | "best" = "number",
): AsyncGenerator<Outcome<SweepView>> {
  const asking = patientClient(client);
  let limit = size;
  for (let offset = 0; ;) {
    const page = await asking.query("sweep", { sweep, order, offset, limit });
    if (!page.ok) {
      yield page;
      return;
    }
    const { trials } = page.value;
    const cut = page.cut?.filter(({ list }) => listsOfTrials.has(list)) ?? [];
    if (cut.length > 0 && limit > 1) {
      limit = Math.ceil(limit / 2);
      continue;
    }
    yield cut.length === 0 ? accept(page.value) : { ...page, cut };
    offset += trials.length;
    if (trials.length < limit) return;
  }
}
