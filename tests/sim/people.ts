// What people do during a storm: an owner drains and cordons, sets weights, refills and caps, tunes and pauses sweeps, extends them, stops trials, removes, restores and
// labels models; machines' owners come home. Refusals are fine, and so is an answer that comes late.
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandBody, CommandName } from "../../protocol/command.ts";
import type { AgentPlan } from "./agent-process.ts";
import type { World } from "./world.ts";

const minuteMs = 60_000;
const orderLengthMaxMs = minuteMs;

export class People {
  readonly #world: World;
  readonly #owner: MeshClient;
  readonly #plans: readonly AgentPlan[];
  readonly #requesters: readonly string[];
  #open = 0;

  constructor(world: World, owner: MeshClient, plans: readonly AgentPlan[], requesters: readonly string[]) {
    this.#world = world;
    this.#owner = owner;
    this.#plans = plans;
    this.#requesters = requesters;
  }

  /** Plans orders for the first `stormMs`; returns how many. */
  planOrders(stormMs: number): number {
    const count = this.#world.between(0, 6);
    for (let index = 0; index < count; index++) this.#planOrder(this.#world.between(5_000, stormMs - 20_000));
    return count;
  }

  /** People come back to machines they lend only while away, mostly while trials run there. */
  planVisits(stormMs: number): void {
    const world = this.#world;
    for (const { idleOnly, name } of this.#plans) {
      for (let visit = world.between(1, 3); idleOnly && visit > 0; visit--) {
        const at = world.between(5_000, stormMs / 3);
        const length = world.between(500, 60_000);
        world.clock.setTimer(at, () => world.returnOwner(name, length));
      }
    }
  }

  /** Resolves when all that was ordered is answered, or given up: nothing of it comes after what is ordered then. */
  async done(): Promise<void> {
    await this.#world.clock.advance(orderLengthMaxMs);
    while (this.#open > 0) await this.#world.clock.advance(1_000);
  }

  #planOrder(at: number): void {
    const world = this.#world;
    const length = world.between(5_000, orderLengthMaxMs);
    const kind = world.between(1, 10);
    const agent = world.pick(this.#plans)?.name ?? "";
    const requester = world.pick(this.#requesters) ?? "";
    const weight = world.between(1, 5);
    const amount = world.between(1_000, 20_000);
    world.clock.setTimer(at, () => {
      if (kind === 1) {
        this.#send("agent-drain", { agent, drain: true });
        world.clock.setTimer(length, () => this.#send("agent-drain", { agent, drain: false }));
      } else if (kind === 2) {
        this.#send("agent-cordon", { agent, cordon: true });
        world.clock.setTimer(length, () => this.#send("agent-cordon", { agent, cordon: false }));
      } else if (kind === 3) {
        const refill = { amount, everyMs: minuteMs, upTo: amount * 2 };
        this.#send("account-set", { requester, weight, refill, sweepCap: amount * 10 });
      } else if (kind === 5) {
        const sweep = `s${world.between(1, 2)}`;
        this.#send("sweep-pause", { sweep, now: weight > 2, why: "" });
        world.clock.setTimer(length, () => this.#send("sweep-resume", { sweep }));
      } else if (kind === 6) {
        this.#send("trial-stop", { trial: `s${world.between(1, 2)}-${world.between(1, 6)}`, why: "" });
      } else if (kind === 7) {
        this.#send("sweep-extend", { sweep: `s${world.between(1, 2)}`, trials: weight, tokens: 0 });
      } else if (kind === 8) {
        const sweep = `s${world.between(1, 2)}`;
        this.#send("sweep-remove", { sweep, force: true, why: "" });
        world.clock.setTimer(length, () => this.#send("sweep-restore", { sweep }));
      } else if (kind === 9) {
        const version = weight > 2 ? null : weight;
        const entry = { of: "model", name: `best-of-${requester}`, version } as const;
        this.#send("registry-remove", { ...entry, force: true, why: "" });
        if (length % 2 === 0)
          world.clock.setTimer(length, () => this.#send("registry-restore", { ...entry, version: null }));
      } else if (kind === 10) {
        const entry = { of: "model", name: `best-of-${requester}`, version: null } as const;
        this.#send("registry-tag", { ...entry, add: [`t${weight}`], remove: [] });
        world.clock.setTimer(length, () => this.#send("registry-note", { ...entry, note: `n${weight}` }));
      } else {
        const sweep = `s${world.between(1, 2)}`;
        this.#send("sweep-tune", { sweep, weight, priority: world.between(-3, 3) });
      }
    });
  }

  #send<N extends CommandName>(name: N, body: CommandBody<N>): void {
    const world = this.#world;
    this.#open++;
    // In a storm nobody may be there to hear it.
    void this.#owner
      .command(name, body)
      .then(
        (answer) => world.note(`${name}: ${answer.ok ? "done" : answer.refusal.message}`),
        (error: unknown) => world.note(`${name}: ${error instanceof Error ? error.message : "lost"}`),
      )
      .finally(() => {
        this.#open--;
      });
  }
}
