/**
 * At the end of a sweep that asks for it: the best epoch of its best trial becomes a version. REG-6: the alias moves there only
 * where that version is better than the one it points to, or its sweep says `move: always`; and never away from a version that
 * another requester's sweep made, which takes somebody who says so.
 */
import { isHeld } from "../state/bytes-held.ts";
import type { Steps } from "../state/input.ts";
import { keptOf } from "../state/kept-of.ts";
import { scoreOf } from "../state/objective.ts";
import { mustGet, type Model, type State, type Sweep, type Version } from "../state/state.ts";
import { measuredAlike } from "./best-version.ts";
import { isLive } from "./live-version.ts";
import { originOf } from "./origin.ts";

export function* registerBest(state: State, sweep: Sweep): Steps {
  const { register } = sweep.spec;
  if (register === null || sweep.best === null) return;
  const trial = mustGet(state.trials, sweep.best.trial, "trial");
  const kept = keptOf(trial);
  if (kept === null) return;
  if (!isHeld(state, kept.digest)) {
    // GC-2: only of a sweep that was out of sight until its bytes were collected.
    const note = `its best, ${trial.trial}, is not registered: its bytes are no longer kept; the same sweep run again trains it anew`;
    yield { kind: "SearchNoted", sweep: sweep.sweep, note };
    return;
  }
  const versions = state.models.get(register.model)?.versions ?? [];
  // The same bytes are the same version: a sweep answered from the record makes no new one.
  const same = versions.find((each) => isLive(each) && each.artifact === kept.digest);
  const version = same?.version ?? versions.length + 1;
  if (same === undefined) {
    const origin = originOf(state, trial).trial;
    yield {
      kind: "ModelRegistered",
      model: register.model,
      version,
      trial: trial.trial,
      origin,
      sweep: sweep.sweep,
    };
  }
  if (register.alias !== null) yield* moveAlias(state, sweep, register, version, register.alias);
}

function* moveAlias(
  state: State,
  sweep: Sweep,
  register: NonNullable<Sweep["spec"]["register"]>,
  version: number,
  alias: string,
): Steps {
  const model = mustGet(state.models, register.model, "model");
  const from = model.aliases[alias] ?? null;
  if (from === version) return;
  const stays = from === null ? null : whyItStays(sweep, model, register.move ?? "if-better", from, version);
  const subject = { model: model.model, alias } as const;
  if (stays !== null && from !== null) {
    yield { kind: "AliasKept", ...subject, version, stays: from, sweep: sweep.sweep, why: stays };
    return;
  }
  const { best } = sweep;
  const value =
    best === null ? "" : ` (${best.trial}, ${sweep.spec.objective.metric} ${best.value.toFixed(4)})`;
  const why = `best of ${sweep.sweep}${value}`;
  yield { kind: "AliasMoved", ...subject, from, to: version, who: sweep.requester, why, how: "register" };
}

/** Null where it moves. */
function whyItStays(
  { requester, spec }: Sweep,
  model: Model,
  move: "if-better" | "always",
  from: number,
  to: number,
): string | null {
  const [now, next] = [versionOf(model, from), versionOf(model, to)];
  if (now.requester !== requester) return `${now.requester} registered version ${from}`;
  if (move === "always" || !isLive(now)) return null;
  const { metric } = spec.objective;
  const [known, reached] = [now.metrics[metric], next.metrics[metric]];
  if (!measuredAlike(now, next)) return `version ${from} was measured on other data`;
  if (known === undefined || reached === undefined) return `version ${from} has no ${metric} to compare`;
  if (scoreOf(spec, reached) > scoreOf(spec, known)) return null;
  return `its ${metric} of ${known.toFixed(4)} is not beaten by ${reached.toFixed(4)}`;
}

function versionOf(model: Model, wanted: number): Version {
  const found = model.versions.find(({ version }) => version === wanted);
  if (found === undefined) throw new Error(`broken invariant: ${model.model} has no version ${wanted}`);
  return found;
}
