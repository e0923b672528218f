/** One event as one line for people. */
import { formatTokens } from "../../protocol/token.ts";
import type { Event } from "../format/event.ts";
import type { Refill } from "../state/state.ts";

export function eventText(event: Event): string {
  switch (event.kind) {
    case "LeaderElected":
      return `${event.leader} leads, epoch ${event.epoch}`;
    case "CommandAccepted":
      return `${event.who}: ${event.name}`;
    case "AccountOpened":
      return `account ${event.requester}, weight ${event.weight}`;
    case "AccountSet":
      return `account ${event.requester}: weight ${event.weight}, ${refillText(event.refill)}`;
    case "TokensRefilled":
      return `${event.requester} refilled by ${formatTokens(event.amount)} tokens`;
    case "TokensGranted":
      return `${event.requester} granted ${formatTokens(event.amount)} tokens by ${event.by}`;
    case "AgentJoined":
      return `agent ${event.agent} joined with ${event.policy.slots} slots`;
    case "AgentSeen":
      return `agent ${event.agent} is back`;
    case "AgentSilent":
      return `agent ${event.agent} fell silent`;
    case "AgentClosed":
      return event.reason === null
        ? `agent ${event.agent} takes work again`
        : `agent ${event.agent}: ${event.reason}`;
    case "AgentDraining":
      return `agent ${event.agent} ${event.drain ? "drains" : "takes work again"}`;
    case "AgentCordoned":
      if (!event.cordon) return `agent ${event.agent} takes new work again`;
      return event.reason === undefined
        ? `agent ${event.agent} is cordoned`
        : `agent ${event.agent} is quarantined: ${event.reason}`;
    case "SweepSubmitted":
      return `${event.sweep} (${event.spec.name}) by ${event.requester}, up to ${event.total} trials`;
    case "SweepTuned":
      return `${event.sweep}: weight ${event.weight}, priority ${event.priority}`;
    case "SweepStopping":
      return `${event.sweep} stopped by ${event.by} ${event.why}`.trim();
    case "SweepExhausted":
      return `${event.sweep} has tried its whole space`;
    case "SweepFinished":
      return `${event.sweep} finished`;
    case "TrialProposed":
      return `${event.trial}: ${event.model} ${JSON.stringify(event.params)}`;
    case "SearchNoted":
      return `${event.sweep} is searched by ${event.note}`;
    case "TrialReused":
      return `${event.trial} answered from ${event.from}`;
    case "TrialPromoted":
      return `${event.trial} goes on to ${event.target}`;
    case "TrialPaused":
      return `${event.trial} waits at its rung`;
    case "TrialRequeued":
      return `${event.trial} queued again: ${event.why}`;
    case "TrialFinished":
      return `${event.trial} ${event.outcome}: ${event.why}`;
    case "LeaseOffered":
      return `${event.trial} offered to ${event.agent} (${event.backend}), fence ${event.fence}, from ${event.from?.resource ?? 0} to ${event.target}`;
    case "LeaseAccepted":
      return `fence ${event.fence} accepted`;
    case "LeaseExtended":
      return `fence ${event.fence} extended, ${formatTokens(event.added)} tokens more reserved`;
    case "CancelRequested":
      return `fence ${event.fence} to stop: ${event.reason}`;
    case "CheckpointKept":
      return `fence ${event.fence} checkpoint at ${event.resource}`;
    case "RungReached":
      return `fence ${event.fence} reached ${event.resource}: ${event.value}`;
    case "AttemptEnded":
      return `fence ${event.fence} ${event.ending}, ${formatTokens(event.posted)} tokens ${event.note ?? ""}`.trim();
    case "ReportNoted":
      return `late report of ${event.agent} for fence ${event.fence} (${event.report}) noted`;
    case "DatasetAdded":
      return `${event.content.dataset}@${event.version} by ${event.by}`;
    case "DatasetChecked":
      return `${event.dataset}@${event.version} by ${event.by}: ${event.check.failed} failed, ${event.check.warned} warned`;
    case "ModelRegistered":
      return `${event.model}@${event.version} is ${event.trial}`;
    case "AliasMoved":
      return `${event.model}@${event.alias} → ${event.to} by ${event.who}`;
  }
}

function refillText(refill: Refill | null): string {
  if (refill === null) return "no refill";
  const { amount, everyMs, upTo } = refill;
  const hours = everyMs / (60 * 60 * 1000);
  return `${formatTokens(amount)} tokens every ${hours} h up to ${formatTokens(upTo)}`;
}
