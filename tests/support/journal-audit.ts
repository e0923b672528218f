/**
 * Reads a journal like an outsider, replays it and checks every event, not only the end: budgets,
 * invariants, leaders in turn, one outcome a trial. Not the coordinator's own start-up check.
 */
import { apply } from "../../coordinator/core/apply.ts";
import type { Event } from "../../coordinator/format/event.ts";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { eventsOf } from "../../coordinator/journal/lift.ts";
import { emptyState, type State } from "../../coordinator/state/state.ts";
import { startPosition, type Journal } from "../../coordinator/journal/journal.ts";

export interface JournalAudit {
  /** Empty where every rule held at every event. */
  readonly violations: readonly string[];
  readonly events: number;
  /** How many outcomes each trial has. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Reports that came too late to count. */
  readonly lateReports: number;
  /** Who led, in order. */
  readonly leaders: readonly string[];
  /** What the whole journal adds up to. */
  readonly state: State;
  /** Of the last message read. */
  readonly sequence: number;
}

/** Sees each event just after it was applied, with the time of its batch, ms. */
export type Watch = (event: Event, state: State, at: number) => void;

export async function auditJournal(journal: Journal, watch?: Watch): Promise<JournalAudit> {
  const violations: string[] = [];
  const outcomes = new Map<string, number>();
  const leaders: string[] = [];
  const state = emptyState();
  let position = startPosition;
  let events = 0;
  let lateReports = 0;
  let epoch = 0;
  for (;;) {
    const entries = await journal.readAfter(position);
    if (entries.length === 0) break;
    for (const { batch, position: at } of entries) {
      const [first] = batch.events;
      if (first?.kind === "LeaderElected") leaders.push(first.leader);
      const expected = first?.kind === "LeaderElected" ? epoch + 1 : epoch;
      if (batch.epoch !== expected)
        violations.push(`EPOCH-1: message ${at.sequence} has epoch ${batch.epoch}, not ${expected}`);
      epoch = batch.epoch;
      for (const event of eventsOf(state, batch)) {
        violations.push(...faultsOf(event, state).map((fault) => `${fault}: message ${at.sequence}`));
        apply(state, event, batch.at);
        events += 1;
        watch?.(event, state, batch.at);
        if (event.kind === "ReportNoted") lateReports += 1;
        if (event.kind === "TrialFinished") outcomes.set(event.trial, (outcomes.get(event.trial) ?? 0) + 1);
        for (const { granted, pending, posted, requester } of state.accounts.values()) {
          if (posted + pending > granted)
            violations.push(
              `BUDGET-1: message ${at.sequence}: ${requester} has ${posted} + ${pending} of ${granted}`,
            );
        }
      }
      for (const { detail, rule, where } of brokenInvariants(state))
        violations.push(`${rule}: message ${at.sequence}: ${where}: ${detail}`);
      position = at;
    }
  }
  for (const [trial, count] of outcomes) {
    if (count !== 1) violations.push(`OUTCOME-1: ${trial} has ${count} outcomes`);
  }
  return { violations, events, outcomes, lateReports, leaders, state, sequence: position.sequence };
}

/** What must not happen in the state as it is before the event. */
function faultsOf(event: Event, state: State): string[] {
  const sweepOf = (trial: string) => state.sweeps.get(state.trials.get(trial)?.sweep ?? "");
  if (event.kind === "LeaseOffered" && sweepOf(event.trial)?.paused !== undefined)
    return [`PAUSE-1: ${event.trial} is offered though its sweep is paused`];
  if (event.kind === "TrialReused" && sweepOf(event.from)?.removed !== undefined)
    return [`REMOVE-1: ${event.trial} is answered from ${event.from}, which was removed`];
  return [];
}
