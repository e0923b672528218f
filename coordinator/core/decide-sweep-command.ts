/** Decides on commands about a sweep that runs: stop, tune, seal, and trials proposed by hand or from outside. */
import type { CommandBody } from "../../protocol/command.ts";
import { trialId } from "../../protocol/id.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import { faultOfParams } from "../../search/space/check-params.ts";
import type { Decision, Sender } from "../state/input.ts";
import { trialKey } from "../state/trial-key.ts";
import { runningSweep } from "./own-sweep.ts";
import { hasRoom, isKnown, proposeTrial } from "./propose-trial.ts";
import type { State, Sweep } from "../state/state.ts";
import { trialsOf } from "../state/trials-of.ts";

export function* stopSweep(state: State, sender: Sender, body: CommandBody<"sweep-stop">): Decision {
  const found = runningSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  yield { kind: "SweepStopping", sweep: body.sweep, by: sender.who, why: body.why };
  return accept({ sweep: body.sweep });
}

/** A point that was tried before is not run again: the answer names no new trial, but the one there is. */
export function* proposeByHand(state: State, sender: Sender, body: CommandBody<"trial-propose">): Decision {
  const found = runningSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  const sweep = found.value;
  const { model, params } = body;
  const entry = sweep.spec.models.find((one) => one.model === model);
  if (entry === undefined) {
    const known = suggestion(
      model,
      sweep.spec.models.map((one) => one.model),
    );
    return refuse("unknown", `${body.sweep} has no model ${model}; ${known}`, ["model"]);
  }
  const fault = faultOfParams(entry.space, entry.where, params);
  if (fault !== null) {
    const field = fault.parameter === null ? ["params"] : ["params", fault.parameter];
    return refuse("invalid", `${body.sweep}, ${model}: ${fault.message}`, field);
  }
  const earlier = trialOf(state, sweep, model, params);
  if (earlier !== null) return accept({ trial: earlier, known: true });
  if (!hasRoom(sweep)) {
    const message = `${body.sweep} takes no more proposals: it has its ${sweep.proposed} trials`;
    return refuse("conflict", message, ["sweep"]);
  }
  const trial = trialId(sweep.sweep, sweep.proposed + 1);
  yield* proposeTrial(state, sweep, { model, params, parent: null, draws: sweep.draws });
  return accept({ trial, known: false });
}

function trialOf(state: State, sweep: Sweep, model: string, params: Params): string | null {
  if (!isKnown(state, sweep, model, params)) return null;
  const key = trialKey(sweep.fingerprint, model, params);
  for (const trial of trialsOf(state, sweep)) if (trial.key === key) return trial.trial;
  return null;
}

export function* sealSweep(state: State, sender: Sender, body: CommandBody<"sweep-seal">): Decision {
  const found = runningSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  const { draws, exhausted } = found.value;
  if (!exhausted) yield { kind: "SweepExhausted", sweep: body.sweep, draws };
  return accept({ sweep: body.sweep });
}

export function* tuneSweep(state: State, sender: Sender, body: CommandBody<"sweep-tune">): Decision {
  const found = runningSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  const sweep = found.value;
  const { priority = sweep.priority, weight = sweep.weight } = body;
  if (priority !== sweep.priority || weight !== sweep.weight) {
    yield { kind: "SweepTuned", sweep: body.sweep, weight, priority };
  }
  return accept({ sweep: body.sweep, weight, priority });
}
