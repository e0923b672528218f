/** What a finished sweep of a hundred and twenty trials has taught, computed from them, as the coordinator would answer it. */
import { insightOf } from "../../coordinator/view/insight-answer.ts";
import type { InsightView } from "../../protocol/insight-view.ts";
import { sweptSpace, sweptView } from "./swept-view.ts";

export function insightFixture(sweep: string, rest: Partial<InsightView> = {}): InsightView {
  const view = sweptView();
  return {
    ...insightOf(
      { ...view, note: "Sobol points for the first ten trials, then TPE." },
      { fasttext: sweptSpace },
    ),
    sweep,
    ...rest,
  };
}
