/**
 * How fast agents really are, against what their probes claimed. Trials of one sweep and model are alike enough to compare:
 * an agent whose claimed rate is true needs as many tokens for a unit of resource as the others do. Pure arithmetic.
 *
 * RATE-1: a rate counts as claimed until measurements speak clearly against it: the gap must exceed its own noise.
 * RATE-2: the measure is the lower median of the agents compared, so that one liar among two or more others moves nothing. Two wait for
 * a third that is about to be compared.
 * RATE-5: of whose claim it is known that it was made under load, it is no measure of others.
 */
import type { Agent, LogMeans, Speed } from "../state/state.ts";
import { clampRate } from "../../protocol/token.ts";

/** Attempts of an agent in one sweep and model before it is compared. */
const attemptsMin = 3;
/** Two agents that disagree do not tell which is right: with fewer attempts they wait for one that has begun. */
const attemptsOfTwoMin = 2 * attemptsMin;
/** A gap is believed in so far as it exceeds so many standard errors. */
const errorsMin = 2;
/** Weight of the newest comparison in an agent's speed. Each goes by all attempts of its sweep so far, so that the newest knows most. */
const smoothing = 0.5;

/**
 * The natural logarithm of an agent's measured speed over its claimed one, or null where there is nothing to compare.
 * `byAgent`: tokens for a unit of resource at the claimed rate, as logarithms. `loaded`: agents that say their rate was measured under load.
 */
export function logSpeedOf(
  agent: string,
  byAgent: Readonly<Record<string, LogMeans>>,
  loaded: ReadonlySet<string> = new Set(),
): number | null {
  const compared = Object.entries(byAgent).filter(([, { count }]) => count >= attemptsMin);
  const own = byAgent[agent];
  if (own === undefined || own.count < attemptsMin || compared.length < 2) return null;
  const isOneToCome = Object.values(byAgent).some(({ count }) => count < attemptsMin);
  if (compared.length === 2 && isOneToCome && own.count < attemptsOfTwoMin) return null;
  const sorted = compared.map(([, means]) => means).toSorted((a, b) => a.mean - b.mean);
  const idle = compared.flatMap(([name, means]) => (loaded.has(name) ? [] : [means]));
  const measures = idle.length === 0 ? sorted : idle.toSorted((a, b) => a.mean - b.mean);
  const measure = measures[Math.floor((measures.length - 1) / 2)];
  if (measure === undefined) return null;
  let squares = 0;
  let freedom = 0;
  for (const means of sorted) {
    squares += means.squares;
    freedom += means.count - 1;
  }
  const variance = squares / Math.max(1, freedom);
  const error = Math.sqrt(variance / own.count + variance / measure.count);
  const gap = measure.mean - own.mean;
  // RATE-1, as a shrinkage towards the claim (James and Stein 1961).
  return gap === 0 ? 0 : gap * Math.max(0, 1 - ((errorsMin * error) / gap) ** 2);
}

/** The natural logarithm of an agent's speed after one comparison more. */
export function withSpeed(speed: Speed | undefined, logSpeed: number): number {
  const { attempts, logFactor } = speed ?? { attempts: 0, logFactor: 0 };
  const weight = attempts === 0 ? 1 : smoothing;
  return logFactor + weight * (logSpeed - logFactor);
}

/** Tokens per second at which a lease is priced: the claim, refined by what was measured. */
export function trustedRate(agent: Agent, kind: string, claimed: number): number {
  const speed = agent.speed[kind];
  return clampRate(speed === undefined ? claimed : claimed * Math.exp(speed.logFactor));
}
