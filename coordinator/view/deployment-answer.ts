/** Deployments as people and gateways see them. What a replica counts is its agent's last word; the rest is the state's. */
import type * as z from "zod";
import type { deploymentsView, DeploymentView, ReplicaView } from "../../protocol/deployment-view.ts";
import { formatTokens, priceOf } from "../../protocol/token.ts";
import { plural } from "../../protocol/plural.ts";
import { replicaModel } from "../../protocol/deployment.ts";
import { fundsFor } from "../budget/funds-for.ts";
import { failuresInARow, restsUntil } from "../placement/choose-replica-agent.ts";
import { isSuspended, replicaSlots } from "../placement/replica-slot.ts";
import { startCost } from "../placement/start-cost.ts";
import { waitingFor } from "../placement/waiting-for.ts";
import { referenceFault } from "../registry/served-version.ts";
import { referenceText } from "../state/reference-text.ts";
import {
  activeAttempt,
  mustGet,
  type Attempt,
  type Deployment,
  type Sweep,
  type Trial,
} from "../state/state.ts";
import type { QuerySource } from "./query-source.ts";

type Source = Pick<QuerySource, "board" | "settings" | "state">;

const msPerHour = 3_600_000;
const msPerSecond = 1_000;

/** In the order in which they were opened. */
export function deploymentsViewOf(source: Source, stopped: boolean): z.infer<typeof deploymentsView> {
  const shown = [...source.state.deployments.values()].filter((one) => stopped || one.stopped === undefined);
  return { deployments: shown.map((deployment) => deploymentViewOf(source, deployment)) };
}

export function deploymentViewOf(source: Source, deployment: Deployment): DeploymentView {
  const { state } = source;
  const { openedAt, requester, revision, versions } = deployment;
  const sweep = mustGet(state.sweeps, deployment.sweep, "sweep");
  const live = liveTrials(source, sweep);
  const running = live.flatMap((trial) => activeAttempt(trial) ?? []);
  const replicas = live.map((trial) => replicaViewOf(source, trial));
  const used = running.reduce((sum, attempt) => sum + usedTokens(source, attempt), 0);
  return {
    deployment: deployment.deployment,
    requester,
    sweep: sweep.sweep,
    reference: referenceText(deployment.reference),
    ...standingOf(source, deployment, sweep, replicas),
    revision,
    versions,
    replicas,
    wanted: deployment.replicas,
    tokensPerHour: running.reduce((sum, { rate }) => sum + priceOf(msPerHour, rate), 0),
    spent: sweep.spent + used,
    created: openedAt,
    ...(deployment.stopped === undefined ? null : { stopped: deployment.stopped }),
  };
}

/** As its agent last said: the record hears of it less often. */
function usedTokens(source: Source, attempt: Attempt): number {
  const saidMs = wordOf(source, attempt)?.usedMs ?? 0;
  return Math.min(attempt.reserved, priceOf(Math.max(attempt.meter.usedMs, saidMs), attempt.rate));
}

function wordOf({ board }: Source, { agent, fence }: Attempt) {
  return board.of(agent)?.heartbeat?.running.find((word) => word.fence === fence);
}

/** Those that run, those that leave and those that wait; of a long life of replicas these are few. */
function liveTrials({ state }: Source, sweep: Sweep): Trial[] {
  const slots = replicaSlots(state, sweep).map(({ trial }) => trial);
  const leaving =
    sweep.counts.running + sweep.counts.queued === slots.length
      ? []
      : [...state.active.values()]
          .map((id) => mustGet(state.trials, id, "trial"))
          .filter((trial) => trial.sweep === sweep.sweep && !slots.includes(trial));
  return [...slots, ...leaving].toSorted((a, b) => a.number - b.number);
}

function replicaViewOf(source: Source, trial: Trial): ReplicaView {
  const { state } = source;
  const attempt = activeAttempt(trial);
  const failure = failuresInARow(state, trial).at(-1)?.note ?? null;
  if (attempt === null) {
    const none = { agent: null, fence: null, revision: null, requests: 0, failed: 0 };
    return { trial: trial.trial, state: "queued", ...none, since: trial.queuedAt, trouble: failure };
  }
  const { agent, at, fence, replica } = attempt;
  const said = wordOf(source, attempt)?.replica;
  const isHeard = state.agents.get(agent)?.present === true;
  const silence = isHeard ? null : `${agent} is not heard`;
  return {
    ...{ trial: trial.trial, agent, fence, since: at },
    state: replicaState(attempt, isHeard),
    revision: replica?.revision ?? null,
    requests: said?.requests ?? 0,
    failed: said?.failed ?? 0,
    trouble:
      silence ?? said?.trouble ?? replica?.trouble ?? (replica?.revision === undefined ? failure : null),
  };
}

function replicaState(attempt: Attempt, isHeard: boolean): ReplicaView["state"] {
  if (attempt.cancel !== null) return "leaving";
  if (isSuspended(attempt)) return "suspended";
  return attempt.replica?.revision !== undefined && isHeard ? "ready" : "starting";
}

function standingOf(
  source: Source,
  deployment: Deployment,
  sweep: Sweep,
  replicas: readonly ReplicaView[],
): Pick<DeploymentView, "state" | "why"> {
  const { stopped } = deployment;
  if (stopped !== undefined) {
    const why = `stopped by ${stopped.by}${stopped.why === "" ? "" : `: ${stopped.why}`}`;
    return { state: sweep.finishedAt === null ? "stopping" : "stopped", why };
  }
  const ready = replicas.filter(({ state }) => state === "ready").length;
  const trouble = replicas.find((one) => one.trouble !== null && one.state !== "leaving")?.trouble ?? null;
  const fault = referenceFault(source.state, deployment);
  if (ready >= deployment.replicas) return { state: "running", why: fault ?? trouble };
  const waits = whyWaiting(source, sweep);
  if (waits?.isOutOfTokens === true) return { state: "out of tokens", why: waits.why };
  const resting = restText(source, sweep);
  const why = trouble === null ? (waits?.why ?? fault) : `${trouble}${resting}`;
  const isNew = ready === 0 && why === null;
  return { state: isNew ? "starting" : "short", why };
}

function whyWaiting({ settings, state }: Source, sweep: Sweep) {
  if (sweep.counts.queued === 0) return null;
  const needed = startCost(state, sweep, [replicaModel], settings);
  const free = fundsFor(state, sweep);
  if (needed !== null && free < needed) {
    const why = `${sweep.requester} has ${formatTokens(free)} tokens left, the next replica needs ${formatTokens(needed)}`;
    return { isOutOfTokens: true, why };
  }
  const isAlone = { ...sweep, counts: { ...sweep.counts, running: 0 } };
  const why = waitingFor(state, isAlone, settings);
  return why === null ? null : { isOutOfTokens: false, why };
}

/** When what has failed is tried again. */
function restText({ state }: Source, sweep: Sweep): string {
  const rests = replicaSlots(state, sweep).flatMap(({ attempt, trial }) =>
    attempt === null ? [restsUntil(state, trial) - state.meta.at] : [],
  );
  const soonest = Math.min(...rests);
  if (!Number.isFinite(soonest) || soonest <= 0) return "";
  return `; it is tried again in ${plural(Math.ceil(soonest / msPerSecond), "second")}`;
}
