/**
 * Follows a sweep to its end, saying how far it is. A mesh that does not answer for a while is waited
 * for: the sweep goes on without us.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { SweepSummary, SweepView } from "../../protocol/view.ts";
import { formatMetric } from "../../text/figure.ts";
import { finishedOf } from "../../text/sweep-phrase.ts";

const pollMs = 300;
const sayEveryMs = 1_000;
/** A sweep short of tokens this long has nothing left that could give some back. */
const shortOfTokensMs = 1_500;
const shownTrials = 1000;

export interface Followed {
  readonly view: SweepView;
  /** A cap is the sweep's own, or its account's for each sweep. */
  readonly end: "done" | "stopped" | "waits-for-budget" | "waits-at-cap";
}

export async function followSweep(
  client: MeshClient,
  sweep: string,
  say: (line: string) => void,
): Promise<Outcome<Followed>> {
  let said = "";
  let saidAt = -sayEveryMs;
  let away = false;
  let shortSince: number | null = null;
  for (;;) {
    const answer = await client.query("sweep", { sweep, order: "best", limit: shownTrials });
    const now = performance.now();
    if (!answer.ok) {
      if (answer.refusal.code !== "unavailable" || client.status() === "closed") return answer;
      if (!away) say(`${sweep}: ${answer.refusal.message}; waiting for it`);
      away = true;
      await sleep(pollMs);
      continue;
    }
    if (away) say(`${sweep}: the mesh answers again`);
    away = false;
    const view = answer.value;
    const line = progressLine(view.summary);
    const over = view.summary.state === "done" || view.summary.state === "stopped";
    if (line !== said && (over || now - saidAt >= sayEveryMs)) {
      say(line);
      said = line;
      saidAt = now;
    }
    if (view.summary.state === "done") return accept({ view, end: "done" });
    if (view.summary.state === "stopped") return accept({ view, end: "stopped" });
    const short = await shortOf(client, view.summary);
    shortSince = short === null ? null : (shortSince ?? now);
    if (short !== null && shortSince !== null && now - shortSince >= shortOfTokensMs)
      return accept({ view, end: short === "cap" ? "waits-at-cap" : "waits-for-budget" });
    await sleep(pollMs);
  }
}

function progressLine(summary: SweepSummary): string {
  const { counts } = summary;
  const parts = [`${finishedOf(summary)}/${summary.total} trials finished`, `${counts.running} running`];
  if (counts.reused > 0) parts.push(`${counts.reused} from the record`);
  if (counts.paused > 0) parts.push(`${counts.paused} paused`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (summary.best !== null) {
    const { best } = summary;
    parts.push(
      `best ${summary.metric} ${formatMetric(best.value)} (${best.model}, ${best.trial}, epoch ${best.resource})`,
    );
  }
  parts.push(`${formatTokens(summary.spent)} tokens`);
  const { state, waiting } = summary;
  const held = waiting === null ? "" : state === "paused" ? `; ${waiting}` : `; waiting: ${waiting}`;
  return `${summary.sweep} ${summary.name}: ${parts.join(", ")}${held}`;
}

/** What has too few tokens for the next trial that waits, whichever of its models that is of; null where something else is lacking. */
async function shortOf(client: MeshClient, summary: SweepSummary): Promise<"account" | "cap" | null> {
  if (summary.state !== "waiting" || summary.counts.running > 0) return null;
  const why = await client.query("sweep-why", { sweep: summary.sweep });
  return why.ok && why.value.budget.short > 0 ? why.value.budget.limit : null;
}
