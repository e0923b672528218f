/**
 * `apply(state, event, at)`: changes the state by one event. No clock, no random, no refusal: an event
 * that does not fit the state is a broken invariant and throws. Every entity it touches is marked dirty.
 *
 * FORMAT-1: what a policy made of the moment stands in the event. `apply` and what it imports know no policy, so that an old
 * journal adds up to the same state whatever is retuned (`npm run structure` holds this).
 */
import type { Event, EventOf } from "../format/event.ts";
import { applyAccount, type AccountEvent } from "./apply-account.ts";
import { applyAgent, type AgentEvent } from "./apply-agent.ts";
import { applyArtifact, type ArtifactEvent } from "./apply-artifact.ts";
import { applyAttempt, type AttemptEvent } from "./apply-attempt.ts";
import { applyDeployment, type DeploymentEvent } from "./apply-deployment.ts";
import { applyRegistry, type RegistryEvent } from "./apply-registry.ts";
import { applyTrial, type TrialEvent } from "./apply-trial.ts";
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
    case "AccountSet":
    case "TokensRefilled":
    case "TokensGranted":
      return applyAccount(state, event satisfies AccountEvent, at);
    case "AgentJoined":
    case "AgentSeen":
    case "AgentSilent":
    case "AgentClosed":
    case "AgentDraining":
    case "AgentCordoned":
      return applyAgent(state, event satisfies AgentEvent);
    case "SweepSubmitted":
    case "SweepTuned":
    case "SearchNoted":
    case "SweepPaused":
    case "SweepResumed":
    case "SweepStopping":
    case "SweepExhausted":
    case "SweepExtended":
    case "SweepLabelled":
    case "TrialLabelled":
    case "SweepRemoved":
    case "SweepRestored":
    case "SweepFinished":
    case "TrialProposed":
    case "TrialReused":
    case "TrialPromoted":
    case "TrialPaused":
    case "TrialRequeued":
    case "TrialStopAsked":
    case "TrialFinished":
    case "TrialsArchived":
      return applyTrial(state, event satisfies TrialEvent, at);
    case "LeaseOffered":
    case "LeaseAccepted":
    case "LeaseExtended":
    case "AttemptMetered":
    case "CancelRequested":
    case "CheckpointKept":
    case "RungReached":
    case "AttemptEnded":
      return applyAttempt(state, event satisfies AttemptEvent, at);
    case "ReportNoted":
      return;
    default:
      return changeRecord(state, event, at);
  }
}

/** What is on record, what is kept of it and what answers with it. */
function changeRecord(
  state: State,
  event: ArtifactEvent | DeploymentEvent | RegistryEvent,
  at: number,
): void {
  switch (event.kind) {
    case "ArtifactPinned":
    case "ArtifactUnpinned":
    case "RetentionSet":
    case "CollectionAsked":
    case "CollectionLooked":
    case "ArtifactsMarked":
    case "MarkHastened":
    case "ArtifactsUnmarked":
    case "ArtifactsCollected":
    case "ArtifactsRemoved":
      return applyArtifact(state, event satisfies ArtifactEvent, at);
    case "DeploymentOpened":
    case "DeploymentChanged":
    case "DeploymentServes":
    case "DeploymentStopped":
    case "ReplicaSaid":
    case "DeploymentTrialBegun":
    case "DeploymentTrialSeen":
    case "DeploymentTrialEnded":
      return applyDeployment(state, event satisfies DeploymentEvent, at);
    default:
      return applyRegistry(state, event satisfies RegistryEvent, at);
  }
}

/**
 * LEASE-1: a new leader has another clock. What was left of a horizon at the old leader's last batch is
 * counted from the election on: too long by the time nobody led, never too short, so no reservation is
 * given back while its agent may still be running. METER-1: in that time it may have used all of the horizon that was left, and
 * nothing of it is certain.
 */
function elect(state: State, epoch: number, leader: string, at: number): void {
  for (const id of state.active.values()) {
    const attempt = activeAttempt(mustGet(state.trials, id, "trial"));
    if (attempt === null) throw new Error(`broken invariant: ${id} is active without an attempt`);
    const { meter } = attempt;
    const leftMs = Math.max(0, attempt.until - state.meta.at);
    const inThisTerm = (time: number) => at - leftMs - Math.max(0, state.meta.at - time);
    const [from, takenFrom] = [inThisTerm(meter.from), inThisTerm(meter.takenFrom)];
    attempt.meter = { ...meter, from, takenFrom, seenAt: at };
    attempt.until = at + leftMs;
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
