// A mesh in memory with registered versions and agents that serve: what deployments are tried on, without a loop.
import {
  activeAttempt,
  mustGet,
  type Attempt,
  type Deployment,
  type Trial,
} from "../../coordinator/state/state.ts";
import { replicaSlots } from "../../coordinator/placement/replica-slot.ts";
import { deploymentViewOf } from "../../coordinator/view/deployment-answer.ts";
import { HeartbeatBoard } from "../../coordinator/view/heartbeat-board.ts";
import type { Capability } from "../../protocol/capability.ts";
import type { TrialSeen } from "../../protocol/deployment.ts";
import type { DeploymentView } from "../../protocol/deployment-view.ts";
import type { Heartbeat } from "../../protocol/report.ts";
import { capability, Fold, sweepSpec } from "./fold.ts";

/** A machine that trains `alpha` and serves. */
export function servingMachine(tokensPerSecond = 1): Capability {
  const { backends, rates, ...of } = capability();
  return {
    ...of,
    backends: [...backends, { name: "none", works: true, reason: null, version: null, dtypes: ["f32"] }],
    rates: [...rates, { kind: "serve/replica", backend: "none", examplesPerSecond: 0, tokensPerSecond }],
  };
}

interface Said {
  /** Default: the newest there is. */
  readonly revision?: number | null;
  readonly trouble?: string;
  readonly suspended?: boolean;
  readonly closed?: string;
  readonly seen?: TrialSeen[];
}

export class DeployedFold extends Fold {
  /** `lang@1`, `lang@2` … each better than the one before; champion on the newest. */
  static with(agents: readonly string[], { slots = 1, tokens = 100_000, versions = 2 } = {}): DeployedFold {
    const fold = new DeployedFold();
    fold.open("ada", tokens);
    fold.joinWith("box", 1, capability());
    for (let seed = 1; seed <= versions; seed++) fold.register(seed);
    fold.must("agent-cordon", { agent: "box", cordon: true });
    for (const agent of agents) fold.joinWith(agent, slots, servingMachine());
    return fold;
  }

  register(seed: number): void {
    const search = { method: "random", trials: 1, seed } as const;
    const register = { model: "lang", alias: "champion" };
    this.must("sweep-run", { spec: sweepSpec({ search, register, reuse: false }) });
    for (const trial of this.training()) this.finish(trial, seed / 100);
  }

  /** Its process was started anew. */
  rejoin(agent: string): void {
    const { capability: of, incarnation, policy } = mustGet(this.state.agents, agent, "agent");
    const register = { incarnation: `${incarnation}+`, capability: of, policy };
    this.do({ kind: "register", agent, register });
  }

  training(): Trial[] {
    return this.running().filter(({ model }) => model === "alpha");
  }

  deploy(replicas = 1, version: string | number | null = "champion", change = {}): Deployment {
    this.must("deploy-set", { deployment: "answers", model: "lang", version, replicas, ...change });
    return this.deployment();
  }

  deployment(): Deployment {
    return mustGet(this.state.deployments, "answers", "deployment");
  }

  /** Attempts of replicas that nobody has asked to leave. */
  going(): (Attempt & { readonly trial: string })[] {
    const sweep = mustGet(this.state.sweeps, this.deployment().sweep, "sweep");
    return replicaSlots(this.state, sweep).flatMap(({ attempt, trial }) =>
      attempt === null ? [] : [{ ...attempt, trial: trial.trial }],
    );
  }

  /** All that hold a lease. */
  live(): Attempt[] {
    return this.running().flatMap((trial) => (trial.model === "replica" ? (activeAttempt(trial) ?? []) : []));
  }

  agents(): string[] {
    return this.going()
      .map(({ agent }) => agent)
      .toSorted();
  }

  view(): DeploymentView {
    return deploymentViewOf(
      { board: new HeartbeatBoard(), settings: this.settings, state: this.state },
      this.deployment(),
    );
  }

  /** A heartbeat of an agent with all that it holds. */
  beat(agent: string, { closed, revision, seen, suspended = false, trouble }: Said = {}): void {
    const running: Heartbeat["running"] = this.live()
      .filter((attempt) => attempt.agent === agent)
      .map((attempt) => ({
        ...{ fence: attempt.fence, resource: 0, usedMs: this.#usedMs(attempt) },
        ...{ suspended, atWork: !suspended },
        replica: {
          revision: revision === undefined ? this.deployment().revision : revision,
          ...{ requests: 0, failed: 0 },
          ...(trouble === undefined ? {} : { trouble }),
          ...(seen === undefined ? {} : { seen }),
        },
      }));
    const { incarnation } = mustGet(this.state.agents, agent, "agent");
    const heartbeat = {
      ...{ incarnation, epoch: this.state.meta.epoch, closed: closed ?? null },
      ...{ cpuLoad: null, memFreeGiB: null, running, owner: null },
    };
    this.do({ kind: "heartbeat", agent, heartbeat });
  }

  /** Replicas that were offered are taken up, and answer. */
  takeUp(quiet: readonly string[] = []): void {
    for (const { agent, fence, state } of this.live())
      if (state === "offered") this.report(agent, { kind: "accepted", fence });
    for (const agent of new Set(this.live().map((attempt) => attempt.agent)))
      if (this.state.agents.get(agent)?.present === true && !quiet.includes(agent)) this.beat(agent);
  }

  stopped(
    attempt: Attempt,
    why: "cancelled" | "horizon" | "owner" | "drain" | "shutdown" = "cancelled",
  ): void {
    const { agent, fence } = attempt;
    const kept = { resource: 0, digest: null, bytes: 0, metrics: {} };
    this.report(agent, { kind: "stopped", fence, why, ...kept, usedMs: this.#usedMs(attempt) });
  }

  failed(attempt: Attempt, reason = "it fell over"): void {
    const { agent, fence } = attempt;
    this.report(agent, { kind: "failed", fence, reason, retryable: true, usedMs: this.#usedMs(attempt) });
  }

  /** As an honest agent counts: while it stood still it used nothing. */
  #usedMs({ at, meter }: Attempt): number {
    const stands = meter.phase === "standing" ? this.at - meter.seenAt : 0;
    return Math.max(0, this.at - at - meter.stoodMs - stands);
  }
}
