/**
 * An agent's connection to whoever leads: it registers until the leader answers, then sends heartbeats at the pace the
 * leader asked for. Which epoch counts, and what a welcome changes, is for `step` to say; orders come in elsewhere.
 */
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import type { Capability } from "../protocol/capability.ts";
import { answerSchema } from "../protocol/command.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { welcomeSchema, type Heartbeat, type Register } from "../protocol/report.ts";
import { subjectsOf } from "../protocol/subjects.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import type { AgentInput } from "./core/agent-input.ts";
import type { AgentState } from "./core/agent-state.ts";
import { replicaStateOf } from "./core/hold-replica.ts";
import { isAtWork, usedMs } from "./core/used-time.ts";

/** What the machine is doing just now; null where unknown. */
export interface Load {
  readonly cpuLoad: number | null;
  readonly memFreeGiB: number | null;
}

export interface LeaderLinkOptions {
  readonly mesh: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly capability: Capability;
  /** Read only: what comes of an answer goes to `take`. */
  readonly state: AgentState;
  readonly load: () => Load;
  readonly owner: () => Heartbeat["owner"];
  /** The highest signed head of the journal; null where none was heard of. */
  readonly head: () => string | null;
  /** Resolves when an earlier run's reports are out, or after so many ms. */
  readonly backlogOut: (ms: number) => Promise<void>;
  readonly take: (input: AgentInput) => void;
  readonly onQuarantined: (reason: string) => void;
  readonly log: (line: string) => void;
}

const heartbeatFirstMs = 1_000;
const registerTimeoutMs = 2_000;
const registerPauseMs = 500;
/** An earlier run's outcomes go out before the registration that would end its leases; this long at most, ms. */
const backlogPatienceMs = 3_000;

/**
 * | state       | known by                     | what it sends                      | what moves it on                         |
 * | ----------- | ---------------------------- | ---------------------------------- | ---------------------------------------- |
 * | unheard     | idle, `epoch` is 0           | nothing                            | a beacon: registering                    |
 * | registering | `#mode`                      | `register`, again after each pause | a welcome to `epoch`: registered; a bus  |
 * |             |                              |                                    | closed for good: idle, as it was before  |
 * | registered  | idle, registered in `epoch`  | heartbeats; orders count only here | a higher epoch, by beacon or order, or a |
 * |             |                              |                                    | leader's clock no longer known, or       |
 * |             |                              |                                    | another capability: registering          |
 * | closed      | `#mode`                      | nothing                            | nothing                                  |
 */
export class LeaderLink {
  readonly #options: LeaderLinkOptions;
  readonly #subjects: ReturnType<typeof subjectsOf>;
  #mode: "idle" | "registering" | "closed" = "idle";
  #heartbeatMs = heartbeatFirstMs;
  #capability: Capability;
  /** What the machine can do as the leader was told last; null where it was told nothing. */
  #told: Capability | null = null;

  constructor(options: LeaderLinkOptions) {
    this.#options = options;
    this.#capability = options.capability;
    this.#subjects = subjectsOf(options.mesh);
  }

  /** Between two heartbeats, as the leader asked for it, ms. */
  get heartbeatMs(): number {
    return this.#heartbeatMs;
  }

  /** Registers until the leader answers; its answer tells its clock. */
  async register(): Promise<void> {
    if (this.#mode !== "idle") return;
    this.#mode = "registering";
    const { backlogOut, bus, clock } = this.#options;
    await backlogOut(backlogPatienceMs);
    while (this.#mode === "registering" && this.#isDue()) {
      try {
        if (await this.#registerOnce()) continue;
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (bus.status() === "closed") break;
      }
      await sleep(clock, registerPauseMs);
    }
    if (this.#mode === "registering") this.#mode = "idle";
  }

  /** Registers anew where the leader knows of something else. */
  advertise(capability: Capability): void {
    this.#capability = capability;
    if (this.#options.state.epoch > 0) void this.register();
  }

  #isDue(): boolean {
    const { state } = this.#options;
    return state.registeredIn !== state.epoch || state.clockIsStale || this.#told !== this.#capability;
  }

  beat(): void {
    const { bus, clock, load, owner, state } = this.#options;
    if (this.#mode === "closed" || state.registeredIn === 0 || state.registeredIn !== state.epoch) return;
    const now = clock.monotonic();
    const running = [...state.held.values()].map((held) => ({
      fence: held.lease.fence,
      resource: held.resource,
      usedMs: usedMs(held, now),
      suspended: held.suspended || held.phase === "ready",
      atWork: isAtWork(held),
      ...(held.replica === null ? null : { replica: replicaStateOf(held.replica) }),
    }));
    const closed = state.draining || state.leaving ? "draining" : state.availability.reason;
    const { epoch, incarnation, name } = state;
    const heartbeat: Heartbeat = { incarnation, epoch, closed, ...load(), running, owner: owner() };
    bus.publish(this.#subjects.heartbeat(name), toBytes(heartbeat));
  }

  close(): void {
    this.#mode = "closed";
  }

  /** True where the leader welcomed us. */
  async #registerOnce(): Promise<boolean> {
    const { bus, clock, log, onQuarantined, state, take } = this.#options;
    const capability = this.#capability;
    const askedAt = clock.monotonic();
    const head = this.#options.head();
    const register: Register = {
      incarnation: state.incarnation,
      capability,
      policy: state.policy,
      ...(head === null ? null : { head }),
    };
    const answer = answerSchema.safeParse(
      fromBytes(await bus.request(this.#subjects.register(state.name), toBytes(register), registerTimeoutMs)),
    );
    if (!answer.success) return false;
    if (!answer.data.ok) {
      log(`the coordinator refuses this agent: ${answer.data.refusal.message}`);
      return false;
    }
    const welcome = welcomeSchema.safeParse(answer.data.value);
    if (!welcome.success) return false;
    this.#told = capability;
    this.#heartbeatMs = welcome.data.presenceMs;
    const { at, carries, epoch } = welcome.data;
    take({ kind: "welcomed", epoch, at, askedAt, carries });
    this.beat();
    if (welcome.data.quarantined !== undefined) onQuarantined(welcome.data.quarantined);
    return true;
  }
}
