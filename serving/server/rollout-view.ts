/** What a rollout has shown so far, as the JSON of `/v2/models/NAME/rollout`. Shares are from 0 to 1, null of nothing. */
import { observedCount } from "../batch/histogram.ts";
import type { Lane } from "../batch/lane.ts";
import type { Comparison } from "../rollout/comparison.ts";
import type { RolloutDesk } from "./rollout-desk.ts";

export function rolloutView(desk: RolloutDesk): object {
  const { copies, incumbent, model, options, rollout, shadow } = desk;
  const { agreement, alpha, canary, copyShare, promoteAfter } = options;
  const compared = (role: "canary" | "shadow") => {
    const comparison = rollout.comparison(role);
    return comparison === null ? {} : { comparison: comparisonView(comparison, alpha) };
  };
  return {
    model,
    state: rollout.state,
    ...(rollout.verdict === null ? {} : { verdict: rollout.verdict }),
    ...{ alpha, agreement, copyShare, promoteAfter },
    incumbent: laneView(incumbent),
    ...(canary === null
      ? {}
      : {
          canary: {
            ...laneView(canary.lane),
            share: rollout.isCanaryOn ? canary.share : 0,
            ...compared("canary"),
          },
        }),
    ...(shadow === null ? {} : { shadow: { ...laneView(shadow), ...compared("shadow") } }),
    copies: { waiting: copies.waiting, dropped: copies.dropped },
  };
}

function laneView({ counters, described: { model } }: Lane): object {
  const { failure, seconds, success } = counters;
  const answered = observedCount(seconds);
  return {
    ...{ version: String(model.version), digest: model.digest },
    ...{ success, failure, meanMs: answered === 0 ? null : (1_000 * seconds.sum) / answered },
  };
}

function comparisonView({ counts, evidence }: Comparison, alpha: number): object {
  const { agreed, challengerRight, compared, incumbentRight, truths, ...rest } = counts;
  return {
    // Beyond what JSON can say nobody needs to know by how much.
    ...{ evidence: Math.min(evidence, Number.MAX_VALUE), needed: 1 / alpha },
    ...rest,
    ...{ compared, agreement: shareOf(agreed, compared) },
    ...{ truths, right: shareOf(challengerRight, truths), incumbentRight: shareOf(incumbentRight, truths) },
  };
}

function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
