// After a run: reads the journal like an outsider, replays it, and checks every event, not only the end.
import { apply } from "../../coordinator/core/apply.ts";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { stateText } from "../../coordinator/core/projection.ts";
import { emptyState, type State } from "../../coordinator/core/state.ts";
import { Journal, startPosition } from "../../coordinator/journal/journal.ts";
import { mesh, type World } from "./world.ts";

export interface Audit {
  readonly violations: readonly string[];
  readonly events: number;
  readonly trials: number;
}

export async function auditJournal(world: World): Promise<Audit> {
  const violations: string[] = [];
  const journal = new Journal(world.hub.connect("auditor"), mesh, world.clock);
  const state = emptyState();
  const outcomes = new Map<string, number>();
  let position = startPosition;
  let events = 0;
  let epoch = 0;
  for (;;) {
    const entries = await world.clock.settle(journal.readAfter(position));
    if (entries.length === 0) break;
    for (const { batch, position: at } of entries) {
      const elected = batch.events[0]?.kind === "LeaderElected";
      if (elected ? batch.epoch !== epoch + 1 : batch.epoch !== epoch) {
        violations.push(`EPOCH-1: message ${at.sequence} has epoch ${batch.epoch} after ${epoch}`);
      }
      epoch = batch.epoch;
      for (const event of batch.events) {
        apply(state, event, batch.at);
        events++;
        if (event.kind === "TrialFinished") outcomes.set(event.trial, (outcomes.get(event.trial) ?? 0) + 1);
        overspent(state, at.sequence, violations);
      }
      for (const broken of brokenInvariants(state)) {
        violations.push(`message ${at.sequence}: ${broken.rule} at ${broken.where}: ${broken.detail}`);
      }
      position = at;
    }
  }
  for (const trial of state.trials.keys()) {
    const count = outcomes.get(trial) ?? 0;
    if (count !== 1) violations.push(`OUTCOME-1: ${trial} has ${count} outcomes`);
  }
  for (const [name, process] of world.candidates) {
    if (
      process.candidate.role() === "leader" &&
      process.state !== null &&
      stateText(process.state) !== stateText(state)
    ) {
      violations.push(
        `REPLAY-1: the state of ${name} is not what its journal adds up to: ${firstDifference(stateText(process.state), stateText(state))}`,
      );
    }
  }
  return { violations, events, trials: state.trials.size };
}

function overspent(state: State, sequence: number, violations: string[]): void {
  for (const { granted, pending, posted, requester } of state.accounts.values()) {
    if (posted + pending > granted) {
      violations.push(`message ${sequence}: BUDGET-1 at ${requester}: ${posted} + ${pending} of ${granted}`);
    }
  }
}

/** The texts around the first place where they differ. */
function firstDifference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 80), at + 40);
  return `"${around(a)}", not "${around(b)}"`;
}
