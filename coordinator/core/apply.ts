/**
 * `apply(state, event, at)`: changes the state by one event. No clock, no random, no refusal: an event
 * that does not fit the state is a broken invariant and throws. Every entity it touches is marked dirty.
 *
 * FORMAT-1: what a policy made of the moment stands in the event. `apply` and what it imports know no policy, so that an old
 * journal adds up to the same state whatever is retuned (`npm run structure` holds this).
 */
import type { Event, EventOf } from "../format/event.ts";
import { applyAttempt, type AttemptEvent } from "./apply-attempt.ts";
import { applyRegistry } from "./apply-registry.ts";
import { applyTrial, type TrialEvent } from "./apply-trial.ts";
import { accountOf, addLine, agentOf } from "./entity.ts";
import { indexAgent } from "./index-state.ts";
import { activeAttempt, mustGet, type State } from "../state/state.ts";

export function apply(state: State, event: Event, at: number): void {
  change(state, event, at);
  state.meta.at = at;
  state.dirty.add("meta");
}

function change(state: State, event: Event, at: number): void {
  switch (event.kind) {
    case "LeaderElected":
      return elect(state, event.epoch, event.leader, at);
    case "CommandAccepted":
      return rememberCommand(state, event, at);
    case "AccountOpened":
      accountOf(state, event.requester).weight = event.weight;
      return;
    case "AccountSet": {
      const account = accountOf(state, event.requester);
      account.weight = event.weight;
      account.sweepCap = event.sweepCap;
      account.refill = event.refill;
      account.refilledAt = event.refilledAt;
      return;
    }
    case "TokensRefilled": {
      const account = accountOf(state, event.requester);
      account.refilledAt = event.until;
      if (event.amount === 0) return;
      account.granted += event.amount;
      addLine(state, account, { at, kind: "refill", amount: event.amount });
      return;
    }
    case "TokensGranted": {
      const account = accountOf(state, event.requester);
      account.granted += event.amount;
      addLine(state, account, { at, kind: "grant", amount: event.amount, note: event.note });
      return;
    }
    case "AgentJoined": {
      const known = state.agents.get(event.agent);
      state.agents.set(event.agent, {
        agent: event.agent,
        incarnation: event.incarnation,
        capability: event.capability,
        policy: event.policy,
        present: true,
        closed: null,
        draining: known !== undefined && known.incarnation === event.incarnation && known.draining,
        cordoned: known?.cordoned ?? false,
        cordonReason: known?.cordonReason ?? null,
        contradicted: known?.contradicted ?? 0,
        speed: known?.speed ?? {},
      });
      state.dirty.add(`agent/${event.agent}`);
      return indexAgent(state, event.agent);
    }
    case "AgentSeen":
    case "AgentSilent":
      agentOf(state, event.agent).present = event.kind === "AgentSeen";
      return indexAgent(state, event.agent);
    case "AgentClosed":
      agentOf(state, event.agent).closed = event.reason;
      return indexAgent(state, event.agent);
    case "AgentDraining":
      agentOf(state, event.agent).draining = event.drain;
      return indexAgent(state, event.agent);
    case "AgentCordoned": {
      const agent = agentOf(state, event.agent);
      agent.cordoned = event.cordon;
      agent.cordonReason = event.cordon ? (event.reason ?? null) : null;
      if (!event.cordon) agent.contradicted = 0;
      return indexAgent(state, event.agent);
    }
    case "SweepSubmitted":
    case "SweepTuned":
    case "SearchNoted":
    case "SweepStopping":
    case "SweepExhausted":
    case "SweepFinished":
    case "TrialProposed":
    case "TrialReused":
    case "TrialPromoted":
    case "TrialPaused":
    case "TrialRequeued":
    case "TrialFinished":
      return applyTrial(state, event satisfies TrialEvent, at);
    case "LeaseOffered":
    case "LeaseAccepted":
    case "LeaseExtended":
    case "CancelRequested":
    case "CheckpointKept":
    case "RungReached":
    case "AttemptEnded":
      return applyAttempt(state, event satisfies AttemptEvent, at);
    case "ReportNoted":
      return;
    case "DatasetAdded":
    case "DatasetChecked":
    case "ModelRegistered":
    case "AliasMoved":
      return applyRegistry(state, event, at);
  }
}

/**
 * LEASE-1: a new leader has another clock. What was left of a horizon at the old leader's last batch is
 * counted from the election on: too long by the time nobody led, never too short, so no reservation is
 * given back while its agent may still be running.
 */
function elect(state: State, epoch: number, leader: string, at: number): void {
  for (const id of state.active.values()) {
    const attempt = activeAttempt(mustGet(state.trials, id, "trial"));
    if (attempt === null) throw new Error(`broken invariant: ${id} is active without an attempt`);
    attempt.until = at + Math.max(0, attempt.until - state.meta.at);
    attempt.shifted = true;
    state.dirty.add(`trial/${id}`);
  }
  state.meta.epoch = epoch;
  state.meta.leader = leader;
}

function rememberCommand(
  state: State,
  { forgets, key, value }: EventOf<"CommandAccepted">,
  at: number,
): void {
  state.commands.set(key, { at, value });
  state.dirty.add(`command/${key}`);
  if (forgets === undefined) return;
  state.commands.delete(forgets);
  state.dirty.add(`command/${forgets}`);
}
