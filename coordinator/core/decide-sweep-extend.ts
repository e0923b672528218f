/**
 * Decides on more trials or tokens for a sweep that is there. EXTEND-1: its search goes on from all it has found, also where it had
 * ended; nothing of its spec changes but its cap, so that its sampler is the one it was.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { trialsMax } from "../../protocol/sweep.ts";
import { learns, samplerFor } from "../../search/choose/choose-sampler.ts";
import { isHeld } from "../state/bytes-held.ts";
import type { Decision, Sender } from "../state/input.ts";
import { targetReached } from "../state/objective.ts";
import type { State, Sweep } from "../state/state.ts";
import { inputsOf } from "../state/sweep-input.ts";
import { learningTrialsMax } from "./decide-sweep.ts";
import { searchingSweep } from "./own-sweep.ts";

export function* extendSweep(state: State, sender: Sender, body: CommandBody<"sweep-extend">): Decision {
  const found = searchingSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  const sweep = found.value;
  if (sweep.removed !== undefined) {
    const message = `${sweep.sweep} was removed by ${sweep.removed.by}; \`trialmesh sweep restore ${sweep.sweep}\` brings it back`;
    return refuse("conflict", message, ["sweep"]);
  }
  if (sweep.state === "stopping") {
    const message = `${sweep.sweep} is being stopped; once it has ended it can be extended`;
    return refuse("conflict", message, ["sweep"]);
  }
  const lost = inputsOf(sweep).find((digest) => !isHeld(state, digest));
  if (lost !== undefined) {
    const message = `${sweep.sweep} cannot go on: its data or program (artifact ${lost.slice(0, 12)}) was collected after it had been removed; run its file again with \`trialmesh sweep run FILE\``;
    return refuse("conflict", message, ["sweep"]);
  }
  const total = totalWith(sweep, body.trials);
  if (!total.ok) return total;
  const cap = capWith(sweep, body.tokens);
  if (!cap.ok) return cap;
  const { proposed, finishedAt } = sweep;
  yield {
    kind: "SweepExtended",
    sweep: sweep.sweep,
    by: sender.who,
    ...(total.value === null ? null : { total: total.value }),
    ...(cap.value === null ? null : { cap: cap.value }),
  };
  return accept({
    sweep: sweep.sweep,
    reopened: finishedAt !== null,
    proposed,
    total: sweep.exhausted ? proposed : sweep.total,
    cap: sweep.spec.cap,
  });
}

/** How many trials it may have then: more than it may have now, or once its search has ended than it has. Null: as many as now. */
function totalWith(sweep: Sweep, more: number): Outcome<number | null> {
  const { best, exhausted, finishedAt, proposed, spec, sweep: id } = sweep;
  if (more === 0) {
    if (finishedAt === null) return accept(null);
    const message = `${id} has ended, and tokens alone do not let it go on; --trials says how many more trials it may have`;
    return refuse("invalid", message, ["trials"]);
  }
  if (targetReached(sweep)) {
    const message = `${id} has what it was after: ${best?.trial} reached the target ${spec.stopping.target} with ${best?.value}; a new sweep with another target searches on`;
    return refuse("conflict", message, ["sweep"]);
  }
  const base = exhausted || finishedAt !== null ? proposed : sweep.total;
  const size = spec.search.method === "outside" ? Infinity : samplerFor(spec).size();
  const total = Math.min(base + more, size);
  if (total <= base) {
    const message = `${id} tries its whole space already: ${plural(size, "point")}, and no other is left`;
    return refuse("conflict", message, ["trials"]);
  }
  const most = learns(spec.search.method) ? learningTrialsMax : trialsMax;
  if (total <= most) return accept(total);
  const message = `${id} would have ${total} trials; with ${spec.search.method} a sweep has ${most} at most`;
  return refuse("invalid", message, ["trials"]);
}

/** Null where it stays as it is. */
function capWith({ requester, spec, sweep: id }: Sweep, more: number): Outcome<number | null> {
  if (more === 0) return accept(null);
  if (spec.cap === null) {
    const message = `${id} has no cap of its own to raise; what it may spend is its account's, which \`trialmesh budget grant ${requester} TOKENS\` fills`;
    return refuse("invalid", message, ["tokens"]);
  }
  const cap = spec.cap + more;
  return Number.isSafeInteger(cap)
    ? accept(cap)
    : refuse("invalid", `${id} may spend more than can be counted already`, ["tokens"]);
}
