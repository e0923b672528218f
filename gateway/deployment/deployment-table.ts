/**
 * The deployments that a gateway sends requests to, and their replicas, as the coordinator says: asked every moment, and at once where something was seen to be
 * otherwise. While the mesh is away the last that was said stays.
 *
 * GATEWAY-3: it holds nothing that another gateway lacks.
 */
import type { DeploymentView } from "../../protocol/deployment-view.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { ReplicaPool } from "./replica-pool.ts";
import type { ConnectReplica } from "./replica-way.ts";

/** Between two questions, and at least, ms. */
const askMs = 500;
/** While there is none; a request for one that is not known asks at once. */
const idleAskMs = 2_000;
const askMsMin = 50;

export type KnownDeployment = Pick<
  DeploymentView,
  "deployment" | "requester" | "state" | "why" | "versions" | "replicas"
>;

export interface DeploymentTableOptions {
  readonly ask: () => Promise<Outcome<readonly KnownDeployment[]>>;
  readonly connect: ConnectReplica;
  readonly clock: Clock;
}

export class DeploymentTable {
  readonly #options: DeploymentTableOptions;
  readonly #pools = new Map<string, ReplicaPool>();
  #deployments: readonly KnownDeployment[] = [];
  #isTold = false;
  #asking: Promise<void> | null = null;
  #askedAt = -Infinity;
  #stopTimer: () => void = () => undefined;
  #isStopped = false;

  constructor(options: DeploymentTableOptions) {
    this.#options = options;
  }

  get deployments(): readonly KnownDeployment[] {
    return this.#deployments;
  }

  /** False while the mesh has said nothing yet. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** Resolves when it was told for the first time, or could not be. */
  async start(): Promise<void> {
    await this.refresh();
    this.#again();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
    for (const pool of this.#pools.values()) pool.close();
  }

  /** By its own name, or else by that of a model that one answers with. */
  find(name: string): KnownDeployment | undefined {
    return (
      this.#deployments.find(({ deployment }) => deployment === name) ??
      this.#deployments.find(({ versions }) => versions.some(({ model }) => model === name))
    );
  }

  /** Those of its replicas that answer now. */
  ready({ replicas }: KnownDeployment): readonly ReplicaPool[] {
    return replicas.flatMap(({ agent, fence, state }) => {
      const pool = agent === null || fence === null ? undefined : this.#pools.get(keyOf(agent, fence));
      return pool === undefined || state !== "ready" ? [] : [pool];
    });
  }

  /** What is there now; not asked oftener than makes sense. */
  refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const { ask, clock } = this.#options;
    const wait = this.#askedAt + askMsMin - clock.monotonic();
    if (wait > 0) await new Promise<void>((resolve) => void clock.setTimer(wait, resolve));
    this.#askedAt = clock.monotonic();
    const told = await ask();
    if (told.ok && !this.#isStopped) this.#take(told.value);
  }

  #again(): void {
    if (this.#isStopped) return;
    const pauseMs = this.#deployments.length === 0 ? idleAskMs : askMs;
    this.#stopTimer = this.#options.clock.setTimer(
      pauseMs,
      () => void this.refresh().then(() => this.#again()),
    );
  }

  #take(told: readonly KnownDeployment[]): void {
    this.#deployments = told;
    this.#isTold = true;
    const kept = new Set<string>();
    for (const { agent, fence, state } of told.flatMap(({ replicas }) => replicas)) {
      // One that stands still or is gone answers nobody; one that leaves still answers what it was asked.
      if (agent === null || fence === null || (state !== "ready" && state !== "leaving")) continue;
      const key = keyOf(agent, fence);
      kept.add(key);
      if (!this.#pools.has(key)) this.#pools.set(key, new ReplicaPool(agent, fence, this.#options.connect));
    }
    for (const [key, pool] of this.#pools)
      if (!kept.has(key)) {
        this.#pools.delete(key);
        pool.close();
      }
  }
}

function keyOf(agent: string, fence: number): string {
  return `${agent} ${fence}`;
}
