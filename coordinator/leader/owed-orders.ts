/**
 * What the coordinator owes its agents, derived from the state alone: offers not yet taken up, horizons
 * not yet told, cancels not yet obeyed. Sent again until the state says they were heard; every order is
 * idempotent at the agent. What was sent when is memory of this leader only and may be lost.
 */
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import type { Serving } from "../../protocol/deployment.ts";
import type { OrderName } from "../../protocol/subjects.ts";
import type { Lease } from "../../protocol/order.ts";
import { keepsBestEpoch } from "../state/objective.ts";
import { attemptByFence, mustGet, type Attempt, type State, type Trial } from "../state/state.ts";
import type { StoredSweepSpec } from "../format/stored-sweep.ts";

export interface Order {
  readonly agent: string;
  readonly name: OrderName;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Leases in one order: an agent with many slots is told of them in several. One lease alone is bounded by its sweep's command. */
const leasesBytesMax = 256 * bytesPerKiB;

/** A replica that said why it cannot answer with a revision hears of it so much more seldom. */
const troubledResends = 10;

interface Sent {
  /** The end of the horizon in the agent's last order. */
  until: number;
  offerAt: number;
  extendAt: number;
  cancelAt: number;
  serveAt: number;
  /** Of what it was told last to answer with. */
  revision: number;
}

export class OwedOrders {
  readonly #sent = new Map<number, Sent>();
  /** By agent: why it was told last that it is quarantined. */
  readonly #quarantined = new Map<string, string>();
  readonly #resendMs: number;

  constructor(resendMs: number) {
    this.#resendMs = resendMs;
  }

  /** Orders due at `at` for every attempt that has not ended. */
  allDue(state: State, at: number): Order[] {
    // What was sent for the others need not be remembered.
    for (const fence of this.#sent.keys()) if (!state.active.has(fence)) this.#sent.delete(fence);
    return [...this.due(state, at, state.active.keys()), ...this.#notices(state)];
  }

  /** Its owner may have no other way to learn of it. Told once; an agent that is not there now hears it when it registers. */
  #notices(state: State): Order[] {
    const orders: Order[] = [];
    for (const { agent, cordonReason, present } of state.agents.values()) {
      if (cordonReason === null) this.#quarantined.delete(agent);
      else if (present && this.#quarantined.get(agent) !== cordonReason) {
        this.#quarantined.set(agent, cordonReason);
        const body = { epoch: state.meta.epoch, drain: false, quarantined: cordonReason };
        orders.push({ agent, name: "drain", body });
      }
    }
    return orders;
  }

  /** Orders due at `at` for these fences. */
  due(state: State, at: number, fences: Iterable<number>): Order[] {
    const offers = new Map<string, Lease[]>();
    const extensions = new Map<string, { fence: number; at: number; horizonMs: number }[]>();
    const replicas = new Map<string, { fence: number; serving: Serving }[]>();
    const orders: Order[] = [];
    const { epoch } = state.meta;
    for (const fence of fences) {
      const found = attemptByFence(state, fence);
      if (found === null) continue;
      const { trial, attempt } = found;
      const sent = this.#sentFor(attempt);
      if (attempt.cancel !== null && at - sent.cancelAt >= this.#resendMs) {
        sent.cancelAt = at;
        orders.push({
          agent: attempt.agent,
          name: "cancel",
          body: {
            epoch,
            fences: [fence],
            reason: attempt.cancel,
            how: attempt.patient ? "checkpoint" : "soon",
          },
        });
      }
      // One that leaves at its next checkpoint is still paid for up to there.
      if (attempt.cancel !== null && !(attempt.patient && attempt.state === "running")) continue;
      if (attempt.state === "offered" && at - sent.offerAt >= this.#resendMs) {
        sent.offerAt = at;
        sent.extendAt = at;
        sent.until = attempt.until;
        push(offers, attempt.agent, leaseOf(state, trial, attempt, at));
      } else if (
        attempt.state === "running" &&
        // LEASE-7: what an election made longer is not paid for. An agent that went by it would be outlived by its reservation.
        !attempt.shifted &&
        (attempt.until > sent.until || at - sent.extendAt >= this.#resendMs)
      ) {
        // Told again and again, not only when it changes: one lost message must not end a paid horizon.
        sent.extendAt = at;
        sent.until = attempt.until;
        push(extensions, attempt.agent, { fence, at, horizonMs: Math.max(1, attempt.until - at) });
      }
      const serving = owedServing(state, trial, attempt);
      if (serving !== null && at - sent.serveAt >= this.#restOf(attempt, sent, serving)) {
        sent.serveAt = at;
        sent.revision = serving.revision;
        push(replicas, attempt.agent, { fence, serving });
      }
    }
    for (const [agent, leases] of offers) orders.push(...parted(agent, "offer", "leases", epoch, leases));
    for (const [agent, leases] of extensions)
      orders.push(...parted(agent, "extend", "leases", epoch, leases));
    for (const [agent, told] of replicas) orders.push(...parted(agent, "serve", "replicas", epoch, told));
    return orders;
  }

  /** A new revision is told at once; one that it cannot answer with is not told all the time. */
  #restOf({ replica }: Attempt, { revision }: Sent, serving: Serving): number {
    if (serving.revision !== revision) return 0;
    return replica?.trouble === undefined ? this.#resendMs : troubledResends * this.#resendMs;
  }

  #sentFor(attempt: Attempt): Sent {
    let sent = this.#sent.get(attempt.fence);
    if (sent === undefined) {
      sent = {
        until: -Infinity,
        offerAt: -Infinity,
        extendAt: -Infinity,
        cancelAt: -Infinity,
        serveAt: -Infinity,
        revision: 0,
      };
      this.#sent.set(attempt.fence, sent);
    }
    return sent;
  }
}

/** DEPLOY-3: what a replica that has been taken up is still to be told; null where it has said that it answers with that. */
function owedServing(state: State, { sweep }: Trial, { replica, state: of }: Attempt): Serving | null {
  const serving = of === "running" ? servingOf(state, sweep) : null;
  return serving !== null && (replica?.revision ?? 0) < serving.revision ? serving : null;
}

function servingOf(state: State, sweep: string): Serving | null {
  const { deployment: name } = mustGet(state.sweeps, sweep, "sweep");
  if (name === undefined) return null;
  const { deployment, revision, trial, versions } = mustGet(state.deployments, name, "deployment");
  const alpha = trial?.canary === undefined ? null : { alpha: trial.alpha };
  return { deployment, revision, versions, ...alpha };
}

/**
 * The lease as the agent gets it. A repeated offer carries only what is left of the horizon, so that one
 * delivered late, or again, never runs longer than was paid for.
 */
function leaseOf(state: State, trial: Trial, attempt: Attempt, at: number): Lease {
  const { spec, requester } = mustGet(state.sweeps, trial.sweep, "sweep");
  const expectations = spec.records?.expectations ?? null;
  const serving = servingOf(state, trial.sweep);
  return {
    fence: attempt.fence,
    incarnation: attempt.incarnation,
    trial: trial.trial,
    sweep: trial.sweep,
    requester,
    task: spec.task,
    model: trial.model,
    backend: attempt.backend,
    params: trial.params,
    seed: spec.trialSeed,
    dataset: spec.dataset?.digest ?? null,
    parts: expectations === null ? spec.parts : [...spec.parts, expectations],
    ...(expectations === null ? {} : { expectations }),
    program: spec.program,
    metric: spec.objective.metric,
    ...(keepsBestEpoch(spec) ? { goal: spec.objective.goal } : {}),
    from: attempt.from,
    ...bestBefore(spec, trial, attempt),
    target: attempt.target,
    at,
    horizonMs: Math.max(1, attempt.until - at),
    ...(serving === null ? {} : { serving }),
  };
}

/** BEST-3: what earlier attempts came to, for one that goes on from them. */
function bestBefore(spec: StoredSweepSpec, { best }: Trial, { from }: Attempt): Pick<Lease, "best"> {
  if (best === undefined || from === null || best.resource > from.resource || !keepsBestEpoch(spec))
    return {};
  const { bytes, digest, metrics, resource } = best;
  return { best: { resource, digest, bytes, metrics } };
}

/** SIZE-5: as many orders as it takes for each to be a message that the server accepts. */
function* parted(
  agent: string,
  name: "offer" | "extend" | "serve",
  field: "leases" | "replicas",
  epoch: number,
  entries: readonly unknown[],
): Generator<Order, void, void> {
  let part: unknown[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (part.length > 0 && bytes + size > leasesBytesMax) {
      yield { agent, name, body: { epoch, [field]: part } };
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += size;
  }
  yield { agent, name, body: { epoch, [field]: part } };
}

function push<V>(into: Map<string, V[]>, key: string, value: V): void {
  const list = into.get(key);
  if (list === undefined) into.set(key, [value]);
  else list.push(value);
}
