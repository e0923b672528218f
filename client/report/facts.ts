/** What a report says in words above its charts. */
import type { PredictedGain } from "../../coordinator/insight/predicted-gain.ts";
import { gainSentence } from "../../coordinator/insight/predicted-gain.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { SweepView } from "../../protocol/view.ts";
import { plural } from "../../protocol/plural.ts";
import { formatMetric } from "../../text/figure.ts";
import { registeredText } from "../../text/sweep-phrase.ts";

export function factsOf(view: SweepView, gain: PredictedGain | null): readonly (readonly [string, string])[] {
  const { summary } = view;
  const { best, counts } = summary;
  return [
    ["State", summary.waiting === null ? summary.state : `${summary.state}: ${summary.waiting}`],
    ["Objective", `${summary.goal} ${summary.metric} of ${summary.task}`],
    ["Dataset", view.dataset === null ? "none" : `${view.dataset.name} ${view.dataset.digest.slice(0, 12)}`],
    ["Search", `${view.search.method}, seed ${view.search.seed}, over ${view.models.join(", ")}`],
    ["Stopping", `${view.stopping.policy}, at most ${plural(view.stopping.max, "epoch")}`],
    [
      "Best",
      best === null
        ? "none yet"
        : `${summary.metric} ${formatMetric(best.value)} by ${best.model} (${best.trial}, epoch ${best.resource})`,
    ],
    [
      "Trials",
      `${counts.proposed} of ${summary.total}: ${counts.completed} completed, ${counts.stopped} stopped early, ${counts.failed} failed, ${counts.cancelled} cancelled`,
    ],
    ["Tokens spent", formatTokens(summary.spent)],
    [
      "Saved by stopping",
      `${formatTokens(summary.savedByStopping)} tokens that trials stopped early would have cost`,
    ],
    [
      "Saved by reuse",
      `${formatTokens(summary.savedByReuse)} tokens: ${plural(counts.reused, "trial")} answered from the record`,
    ],
    ["Registered", registeredText(summary)],
    ["What to expect", gainSentence(gain, summary.metric)],
  ];
}
