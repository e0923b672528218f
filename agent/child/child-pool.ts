/**
 * The child processes of a runner: kept warm between jobs of one kind, each in a slot of the machine. What a job tells,
 * and what its end means, is the run's business; nothing here restarts what failed.
 */
import { heldMiB } from "../../system/held-memory.ts";
import { baseEnvironment } from "../program/program-environment.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { moduleConfinement } from "../module/module-confinement.ts";
import type { Job } from "../runner/runner.ts";
import type { SlotTable } from "../runner/slot-table.ts";
import type { FromChild } from "../runner/wire.ts";
import { startChild, type Child, type ChildEnd } from "./child-process.ts";

export interface ChildPoolOptions {
  /** Idle children kept warm at most. */
  readonly slots: number;
  /** Trials after which a child is ended, so that what leaks in it does not add up. */
  readonly trialsPerChild: number;
  readonly slotTable: SlotTable;
  /** The agent's own environment; code of requesters gets little of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What confines a requester's code; such a child sees the folders of one job, and is ended with it. */
  readonly sandbox: Sandbox | null;
  readonly onEvent: (child: Child, event: FromChild) => void;
  /** Its process is gone, whoever ended it. */
  readonly onEnd: (child: Child, end: ChildEnd) => void;
}

/** A warm child that has come to hold so much more than after its first job is ended. */
const growthMaxMiB = 512;

/**
 * | a child is | told by             | what moves it on                                                            |
 * | ---------- | ------------------- | --------------------------------------------------------------------------- |
 * | busy       | `fence` of its job  | `giveBack`: idle, or retired where the job failed, it has run too many, it  |
 * |            |                     | has grown, or enough others are idle; its process's end: gone               |
 * | idle       | `fence` null        | `take` of a job of its kind: busy; of another kind while all slots are in   |
 * |            |                     | use: retired; its process's end: gone                                       |
 * | retired    | not in `#children`  | it was let go, its slot is free; its process ends by itself: gone           |
 */
export class ChildPool {
  readonly #options: ChildPoolOptions;
  readonly #children = new Set<Child>();

  constructor(options: ChildPoolOptions) {
    this.#options = options;
  }

  /**
   * A child for the job: a warm one of its kind, or a new one. It is the caller's until it is given back or ends. Throws where
   * the system starts no process.
   */
  take(job: Job): Child {
    const idle = this.#idle();
    const kind = kindOf(job);
    const warm = idle.find((child) => child.kind === kind);
    if (warm !== undefined) return warm;
    const cold = idle[0];
    if (cold !== undefined && this.#children.size >= this.#options.slots) this.#retire(cold);
    return this.#start(job, kind);
  }

  /** `sound`: its job ended as it should, so that another may follow. */
  giveBack(child: Child, sound: boolean): void {
    child.fence = null;
    if (child.isConfined) return this.#retire(child);
    const { slots, trialsPerChild } = this.#options;
    // What it has left running may hold on to what a next job is to have; that one gets a new child.
    if (child.endStarted()) this.#retire(child);
    else if (!sound || child.trials >= trialsPerChild || this.#idle().length > slots || hasGrown(child))
      this.#retire(child);
  }

  pids(): readonly number[] {
    return [...this.#children].flatMap(({ pid }) => (pid === null ? [] : [pid]));
  }

  /** Kills them all; resolves when they are gone. */
  async close(): Promise<void> {
    const ends = [...this.#children].map((child) => child.ended);
    for (const child of this.#children) child.kill();
    this.#children.clear();
    await Promise.all(ends);
  }

  #idle(): readonly Child[] {
    return [...this.#children].filter((child) => child.fence === null);
  }

  #start(job: Job, kind: string): Child {
    const { environment, slotTable } = this.#options;
    const slot = slotTable.take();
    const base = job.program === null ? environment : codeEnvironment(environment);
    try {
      return this.#startIn(slot, job, kind, base);
    } catch (error) {
      slotTable.free(slot);
      throw error;
    }
  }

  #startIn(slot: number, job: Job, kind: string, base: ChildPoolOptions["environment"]): Child {
    const { onEnd, onEvent, sandbox, slotTable } = this.#options;
    const child: Child = startChild({
      kind,
      slot,
      memoryMiB: job.memoryMiB,
      foreign: job.program !== null,
      confinement:
        job.program === null || sandbox === null ? undefined : moduleConfinement(sandbox, job, base),
      environment: { ...base, ...slotTable.environment(slot) },
      onEvent: (event) => onEvent(child, event),
      onEnd: (end) => {
        this.#forget(child);
        onEnd(child, end);
      },
    });
    this.#children.add(child);
    return child;
  }

  #retire(child: Child): void {
    this.#forget(child);
    child.end();
  }

  #forget(child: Child): void {
    if (this.#children.delete(child)) this.#options.slotTable.free(child.slot);
  }
}

/** What a child must be alike in to take the job after another. */
function kindOf({ backend, memoryMiB, program, serving }: Job): string {
  return `${backend} ${memoryMiB} ${program?.bundle ?? ""}${serving === undefined ? "" : " serving"}`;
}

/** A requester's code gets what programs get, and where TensorFlow is kept. */
function codeEnvironment(own: Readonly<Record<string, string | undefined>>) {
  return { ...baseEnvironment(own), TRIALMESH_RUNTIME: own["TRIALMESH_RUNTIME"] };
}

function hasGrown(child: Child): boolean {
  const held = child.pid === null ? null : heldMiB(child.pid);
  if (held === null) return false;
  child.firstHeldMiB ??= held;
  return held > child.firstHeldMiB + growthMaxMiB;
}
