/**
 * Which replica of a deployment is placed next, and where. Pure; of what a replica asks of a machine nothing else is decided than of a trial
 * (`feasible.ts`).
 *
 * DEPLOY-8: replicas of one deployment go to different agents; two are on one only where nothing else that is free fits, or has failed them
 * again and again.
 * DEPLOY-9: how often a replica has ended is counted by nobody: it is started again, after a rest that doubles with each failure in a row.
 */
import type { Attempt, State, Sweep, Trial } from "../state/state.ts";
import { mustGet } from "../state/state.ts";
import type { TrialQueue } from "../state/trial-queue.ts";
import { freeChoices } from "./choose-agent.ts";
import type { Choice } from "./feasible.ts";
import { replicasOn } from "./replica-slot.ts";

const restMinMs = 1_000;
const restMaxMs = 60_000;
/**
 * A replica that has answered for so long has not failed for what made others before it fail, ms. Several that are killed within a minute are to be back before
 * their callers give up, and one that ends every few seconds answers most of the time all the same.
 */
const soundMs = 5_000;
/** A machine on which it has failed so often in a row is no better than one that has a replica already. */
const failuresThereMax = 2;

/** The first that may start, with its agent; `rests`: none may yet; null: nothing that is free fits. */
export function placeableReplica(
  state: State,
  sweep: Sweep,
  queue: TrialQueue,
  at: number,
): { readonly trial: Trial; readonly choice: Choice } | "rests" | null {
  for (const id of queue.waiting()) {
    const trial = mustGet(state.trials, id, "trial");
    if (at < restsUntil(state, trial)) continue;
    const choice = chooseReplicaAgent(state, sweep, trial);
    return choice === null ? null : { trial, choice };
  }
  return "rests";
}

/** In the coordinator's time; 0 where it need not rest. */
export function restsUntil(state: State, trial: Trial): number {
  const failures = failuresInARow(state, trial);
  const last = failures.at(-1)?.endedAt ?? null;
  return last === null ? 0 : last + Math.min(restMaxMs, restMinMs * 2 ** (failures.length - 1));
}

/** The newest last, those of the trial whose place it took among them. What ended because somebody wanted it to is no failure. */
export function failuresInARow(state: State, { attempts, resumes }: Trial): readonly Attempt[] {
  const before = resumes === null ? [] : (state.trials.get(resumes)?.attempts ?? []);
  const ended = [...before, ...attempts].filter(({ ending }) => ending !== null);
  return ended.slice(ended.findLastIndex(isSound) + 1);
}

function isSound({ at, ending, endedAt, replica }: Attempt): boolean {
  if (ending !== "failed" && ending !== "lost" && ending !== "refused") return true;
  return replica?.revision !== undefined && (endedAt ?? at) - at >= soundMs;
}

/** DEPLOY-8: of the free agents that fit the best of the first kind of which there is any. */
function chooseReplicaAgent(state: State, sweep: Sweep, trial: Trial): Choice | null {
  const failures = failuresInARow(state, trial);
  const isAlone = (name: string) => replicasOn(state, sweep, name, trial) === 0;
  const isTrusted = (name: string) =>
    failures.filter(({ agent }) => agent === name).length < failuresThereMax;
  const kinds = [(name: string) => isAlone(name) && isTrusted(name), isTrusted, isAlone, () => true];
  for (const isOfKind of kinds) {
    const found = freeChoices(state, sweep, trial, ({ agent }) => isOfKind(agent));
    if (found.length > 0) return found.reduce((best, one) => (isBefore(one, best) ? one : best));
  }
  return null;

  function isBefore(one: Choice, best: Choice): boolean {
    const [a, b] = [one, best].map(({ agent, rate }) => ({
      failed: failures.filter(({ agent: name }) => name === agent.agent).length,
      replicas: replicasOn(state, sweep, agent.agent, trial),
      held: state.held.get(agent.agent)?.size ?? 0,
      rate: sweep.spec.prefers.first === "cheapest" ? rate : -rate,
      name: agent.agent,
    }));
    if (a === undefined || b === undefined) return false;
    const order = a.replicas - b.replicas || a.failed - b.failed || a.rate - b.rate || a.held - b.held;
    return order < 0 || (order === 0 && a.name < b.name);
  }
}
