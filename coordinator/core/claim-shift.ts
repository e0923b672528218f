/**
 * RATE-4: what trials have shown of an agent's speed outlives its claim. Where an agent claims another rate for the same machine, what
 * was learned against the old claim is told against the new one, so that no correction counts twice. Which kinds, and by how much, is
 * a fact of the event; here also what `apply` makes of it. Pure.
 */
import type { Capability } from "../../protocol/capability.ts";
import type { Agent, State } from "../state/state.ts";
import { agentOf, sweepOf } from "./entity.ts";

/** By kind of task: the natural logarithm of the rate claimed now over the rate claimed before. */
export type ClaimShifts = Readonly<Record<string, number>>;

/** A ten-thousandth: as close as what was learned is told. */
const logPrecision = 1e4;

/** Of kinds that anything was learned of; undefined where none of them is claimed differently. */
export function claimShifts(state: State, known: Agent, now: Capability): ClaimShifts | undefined {
  const shifts = [...learnedKinds(state, known)].flatMap((kind): [string, number][] => {
    const shift = shiftOf(known.capability, now, kind);
    return shift === 0 ? [] : [[kind, shift]];
  });
  return shifts.length === 0 ? undefined : Object.fromEntries(shifts);
}

export function shiftClaims(state: State, agent: string, shifts: ClaimShifts): void {
  const { speed } = agentOf(state, agent);
  for (const [kind, learned] of Object.entries(speed)) {
    const shift = shifts[kind];
    if (shift !== undefined) speed[kind] = { ...learned, logFactor: rounded(learned.logFactor - shift) };
  }
  for (const { pace, spec, sweep } of state.sweeps.values()) {
    for (const model of Object.keys(pace)) {
      const shift = shifts[`${spec.task}/${model}`];
      if (shift === undefined || pace[model]?.[agent] === undefined) continue;
      const byAgent = sweepOf(state, sweep).pace[model];
      const own = byAgent?.[agent];
      if (byAgent !== undefined && own !== undefined) byAgent[agent] = { ...own, mean: own.mean + shift };
    }
  }
}

function learnedKinds(state: State, { agent, speed }: Agent): ReadonlySet<string> {
  const kinds = new Set(Object.keys(speed));
  for (const { pace, spec } of state.sweeps.values())
    for (const [model, byAgent] of Object.entries(pace))
      if (byAgent[agent] !== undefined) kinds.add(`${spec.task}/${model}`);
  return kinds;
}

/** Of the backend that was its fastest and so did the work. 0 where that is gone: nothing is known of what takes its place. */
function shiftOf(before: Capability, now: Capability, kind: string): number {
  const rates = before.rates.filter((rate) => rate.kind === kind);
  const fastest = rates.toSorted((a, b) => b.tokensPerSecond - a.tokensPerSecond)[0];
  const same = now.rates.find((rate) => rate.kind === kind && rate.backend === fastest?.backend);
  if (fastest === undefined || same === undefined) return 0;
  return rounded(Math.log(same.tokensPerSecond) - Math.log(fastest.tokensPerSecond));
}

function rounded(logarithm: number): number {
  return Math.round(logarithm * logPrecision) / logPrecision;
}
