/** One event as one line for people. */
import { namedList, plural } from "../../protocol/plural.ts";
import { formatTokens } from "../../protocol/token.ts";
import { formatBytes } from "../../text/figure.ts";
import type { Event, EventOf } from "../format/event.ts";
import { referenceText } from "../state/reference-text.ts";
import type { Refill } from "../state/state.ts";

type TextOf = { readonly [Kind in Event["kind"]]: (event: EventOf<Kind>) => string };

export function eventText(event: Event): string {
  // Each function takes the events of its own kind, which the table's type says and an index into it forgets.
  const textOf: (event: never) => string = texts[event.kind];
  return textOf(event as never);
}

const texts: TextOf = {
  LeaderElected: (event) => `${event.leader} leads, epoch ${event.epoch}`,
  CommandAccepted: (event) => `${event.who}: ${event.name}`,
  AccountOpened: (event) => `account ${event.requester}, weight ${event.weight}`,
  AccountSet: (event) => `account ${event.requester}: weight ${event.weight}, ${refillText(event.refill)}`,
  TokensRefilled: (event) => `${event.requester} refilled by ${formatTokens(event.amount)} tokens`,
  TokensGranted: (event) => `${event.requester} granted ${formatTokens(event.amount)} tokens by ${event.by}`,
  AgentJoined: (event) => `agent ${event.agent} joined with ${event.policy.slots} slots`,
  AgentSeen: (event) => `agent ${event.agent} is back`,
  AgentSilent: (event) => `agent ${event.agent} ${event.revoked === true ? "was revoked" : "fell silent"}`,
  AgentClosed: (event) =>
    event.reason === null ? `agent ${event.agent} takes work again` : `agent ${event.agent}: ${event.reason}`,
  AgentDraining: (event) => `agent ${event.agent} ${event.drain ? "drains" : "takes work again"}`,
  AgentCordoned: (event) => {
    if (!event.cordon) return `agent ${event.agent} takes new work again`;
    return event.reason === undefined
      ? `agent ${event.agent} is cordoned`
      : `agent ${event.agent} is quarantined: ${event.reason}`;
  },
  SweepSubmitted: (event) =>
    `${event.sweep} (${event.spec.name}) by ${event.requester}, up to ${event.total} trials`,
  DeploymentOpened: (event) =>
    `deployment ${event.deployment} by ${event.requester}: ${plural(event.replicas, "replica")} of ${referenceText(event.reference)}`,
  DeploymentChanged: (event) =>
    [
      `deployment ${event.deployment} changed by ${event.by}`,
      ...(event.reference === undefined ? [] : [referenceText(event.reference)]),
      ...(event.replicas === undefined ? [] : [plural(event.replicas, "replica")]),
      ...(event.needs === undefined ? [] : ["other needs"]),
    ].join(", "),
  DeploymentServes: (event) =>
    `deployment ${event.deployment} answers with ${event.versions.map(({ model, version }) => `${model}@${version}`).join(", ")}, revision ${event.revision}`,
  DeploymentStopped: (event) => `deployment ${event.deployment} stopped by ${event.by} ${event.why}`.trim(),
  ReplicaSaid: (event) =>
    `fence ${event.fence} answers with ${event.revision === undefined ? "nothing yet" : `revision ${event.revision}`}${event.trouble === undefined ? "" : `: ${event.trouble}`}`,
  DeploymentTrialBegun: ({ by, deployment, trial: { alpha, canary, shadow } }) =>
    [
      `deployment ${deployment}: ${by} has on trial`,
      ...(canary === undefined
        ? []
        : [
            `${canary.model}@${canary.version} as canary with ${Number((100 * canary.share).toFixed(4))}% (α = ${alpha})`,
          ]),
      ...(shadow === undefined ? [] : [`${shadow.model}@${shadow.version} as shadow`]),
    ].join(" "),
  DeploymentTrialSeen: ({ deployment, fence, seen: { challengerFailed, logWealth, pairs } }) =>
    `deployment ${deployment}: fence ${fence} has asked both of ${plural(pairs, "request")}, at ${challengerFailed} the canary alone failed, evidence ${Math.exp(logWealth).toPrecision(3)}`,
  DeploymentTrialEnded: ({ by, deployment, role, why }) =>
    `deployment ${deployment}: the ${role} is taken out${by === undefined ? "" : ` by ${by}`}: ${why}`,
  SweepTuned: (event) => `${event.sweep}: weight ${event.weight}, priority ${event.priority}`,
  SweepPaused: (event) =>
    `${event.sweep} paused${event.now === true ? " at once" : ""} by ${event.by} ${event.why}`.trim(),
  SweepResumed: (event) => `${event.sweep} resumed by ${event.by}`,
  SweepStopping: (event) => `${event.sweep} stopped by ${event.by} ${event.why}`.trim(),
  SweepExhausted: (event) => `${event.sweep} has tried its whole space`,
  SweepExtended: (event) =>
    [
      `${event.sweep} extended by ${event.by}`,
      ...(event.total === undefined ? [] : [`up to ${event.total} trials`]),
      ...(event.cap === undefined ? [] : [`at most ${formatTokens(event.cap)} tokens`]),
    ].join(", "),
  SweepLabelled: (event) => `${event.sweep} ${labelText(event)}`,
  TrialLabelled: (event) => `${event.trial} ${labelText(event)}`,
  SweepRemoved: (event) => `${event.sweep} removed by ${event.by} ${event.why}`.trim(),
  SweepRestored: (event) => `${event.sweep} restored by ${event.by}`,
  SweepFinished: (event) => `${event.sweep} finished`,
  TrialProposed: (event) => `${event.trial}: ${event.model} ${JSON.stringify(event.params)}`,
  SearchNoted: (event) => `${event.sweep} is searched by ${event.note}`,
  TrialReused: (event) => `${event.trial} answered from ${event.from}`,
  TrialPromoted: (event) => `${event.trial} goes on to ${event.target}`,
  TrialPaused: (event) => `${event.trial} waits at its rung`,
  TrialRequeued: (event) => `${event.trial} queued again: ${event.why}`,
  TrialStopAsked: (event) => `${event.trial} to be stopped, as ${event.by} asked ${event.why}`.trim(),
  TrialFinished: (event) => `${event.trial} ${event.outcome}: ${event.why}`,
  LeaseOffered: (event) =>
    `${event.trial} offered to ${event.agent} (${event.backend}), fence ${event.fence}, from ${event.from?.resource ?? 0} to ${event.target}`,
  LeaseAccepted: (event) => `fence ${event.fence} accepted`,
  LeaseExtended: (event) =>
    `fence ${event.fence} extended, ${formatTokens(event.added)} tokens more reserved`,
  AttemptMetered: ({ fence, metered }) =>
    `fence ${fence} is ${metered.phase}, ${(metered.usedMs / 1000).toFixed(1)} s used`,
  CancelRequested: (event) => `fence ${event.fence} to stop: ${event.reason}`,
  CheckpointKept: (event) => `fence ${event.fence} checkpoint at ${event.resource}`,
  RungReached: (event) => `fence ${event.fence} reached ${event.resource}: ${event.value}`,
  AttemptEnded: (event) =>
    `fence ${event.fence} ${event.ending}, ${formatTokens(event.posted)} tokens ${event.note ?? ""}`.trim(),
  ReportNoted: (event) => `late report of ${event.agent} for fence ${event.fence} (${event.report}) noted`,
  DatasetAdded: (event) => `${event.content.dataset}@${event.version} by ${event.by}`,
  DatasetChecked: (event) =>
    `${event.dataset}@${event.version} by ${event.by}: ${event.check.failed} failed, ${event.check.warned} warned`,
  ModelRegistered: (event) => `${event.model}@${event.version} is ${event.trial}`,
  AliasKept: (event) => `${event.model}@${event.alias} stays at ${event.stays}: ${event.why}`,
  AliasMoved: (event) => `${event.model}@${event.alias} → ${event.to} by ${event.who}`,
  EntryLabelled: (event) =>
    `${event.of} ${event.name}${event.version === undefined ? "" : `@${event.version}`} ${labelText(event)}`,
  VersionsRemoved: (event) => `${versionsText(event)} removed by ${event.by} ${event.why}`.trim(),
  VersionsRestored: (event) => `${versionsText(event)} restored by ${event.by}`,
  ArtifactPinned: (event) =>
    `artifact ${event.digest.slice(0, 12)} pinned by ${event.by} ${event.why}`.trim(),
  ArtifactUnpinned: (event) => `artifact ${event.digest.slice(0, 12)} no longer pinned, by ${event.by}`,
  RetentionSet: ({ by, retention }) => `${by} keeps the best ${retention.checkpoints} of each sweep`,
  CollectionAsked: (event) => `${event.by} asks what could go from the mesh's store`,
  CollectionLooked: (event) =>
    `${plural(event.artifacts, "artifact")} of ${formatBytes(event.bytes)} are to go`,
  ArtifactsMarked: (event) =>
    `${plural(event.artifacts.length, "artifact")} marked to go, as nothing refers to them (mark ${event.mark})`,
  MarkHastened: (event) => `mark ${event.mark} goes earlier`,
  ArtifactsUnmarked: (event) =>
    `${plural(event.digests.length, "artifact")} of mark ${event.mark} stay, as something refers to them`,
  ArtifactsCollected: (event) => `mark ${event.mark} is collected`,
  ArtifactsRemoved: (event) => `the bytes of mark ${event.mark} are removed`,
  TrialsArchived: (event) =>
    `curves and logs of ${plural(event.trials.length, "trial")} of ${event.sweep} archived (archive ${event.archive})`,
};

type Labelled = Pick<EventOf<"SweepLabelled">, "by" | "notes" | "tags"> &
  Pick<EventOf<"EntryLabelled">, "example" | "measured">;

function labelText({ by, example, measured, notes, tags }: Labelled): string {
  const tagged = tags === undefined ? [] : [`tagged ${tags.join(", ") || "with nothing"}`];
  const noted = notes === undefined ? [] : [`noted: ${notes || "nothing"}`];
  const shown = example === undefined ? [] : ["given an example with its answer"];
  const timed = measured === undefined ? [] : [`measured on ${measured.machine}`];
  return `${[...tagged, ...noted, ...shown, ...timed].join(", ")} by ${by}`;
}

function versionsText({ name, of, versions }: Pick<EventOf<"VersionsRestored">, "name" | "of" | "versions">) {
  return `${of} ${namedList(versions.map((version) => `${name}@${version}`))}`;
}

function refillText(refill: Refill | null): string {
  if (refill === null) return "no refill";
  const { amount, everyMs, upTo } = refill;
  const hours = everyMs / (60 * 60 * 1000);
  return `${formatTokens(amount)} tokens every ${hours} h up to ${formatTokens(upTo)}`;
}
