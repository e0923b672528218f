/** What is known of a trial beside its parameters and metrics: the columns of an exported table, and what conditions may name. */
import { milliTokensPerToken } from "../../protocol/token.ts";
import type { TrialView } from "../../protocol/view.ts";
import { figure, moment, text, whole, type ListColumn } from "./list-column.ts";

const openStates: ReadonlySet<TrialView["state"]> = new Set(["queued", "running", "paused"]);

export const trialColumns: readonly ListColumn<TrialView>[] = [
  text("trial", ({ trial }) => trial),
  text("sweep", ({ sweep }) => sweep),
  whole("number", ({ number }) => number),
  text("requester", ({ requester }) => requester),
  text("model", ({ model }) => model),
  text("state", ({ state }) => state),
  /** Why it failed. */
  text("reason", ({ failure }) => failure),
  figure("value", ({ value }) => value),
  /** The epoch that the value and the metrics are of. */
  whole("epoch", (trial) => (trial.value === null ? null : (trial.best?.resource ?? trial.resource))),
  whole("epochs", ({ resource }) => resource),
  whole("target", ({ target }) => target),
  figure("tokens", ({ spent }) => spent / milliTokensPerToken),
  moment("started_at", ({ attempts }) => attempts[0]?.startedAt ?? null),
  moment("ended_at", ({ attempts, state }) =>
    openStates.has(state) ? null : (attempts.at(-1)?.endedAt ?? null),
  ),
  text("agent", ({ attempts }) => distinct(attempts.map(({ agent }) => agent))),
  text("backend", ({ attempts }) => distinct(attempts.map(({ backend }) => backend))),
  whole("attempts", ({ attempts }) => attempts.length),
  text("reused_from", ({ reusedFrom }) => reusedFrom),
  text("parent", ({ parent }) => parent),
  text("artifact", ({ artifact }) => artifact),
  text("tag", ({ tags }) => (tags === undefined || tags.length === 0 ? null : tags)),
  text("notes", ({ notes }) => notes ?? null),
];

function distinct(names: readonly string[]): readonly string[] | null {
  return names.length === 0 ? null : [...new Set(names)];
}
