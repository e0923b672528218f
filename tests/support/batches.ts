/** What the leader's loop would write, one batch after the other, without a journal: for tests of how large batches become. */
import assert from "node:assert/strict";
import { apply } from "../../coordinator/core/apply.ts";
import { decide, run } from "../../coordinator/core/decide.ts";
import { schedule } from "../../coordinator/core/schedule.ts";
import { BatchTally } from "../../coordinator/leader/batch-tally.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import { emptyState } from "../../coordinator/state/state.ts";
import type { Event } from "../../coordinator/format/event.ts";
import type { Input } from "../../coordinator/state/input.ts";
import { openPolicy } from "../../protocol/capability.ts";
import type { CommandName } from "../../protocol/command.ts";
import { capability } from "./fold.ts";

const elected = { kind: "LeaderElected", epoch: 1, leader: "leader" } as const;

export class Batches {
  readonly state = emptyState();
  readonly settings = settingsFor(600_000);
  /** Bytes of each batch's events. */
  readonly sizes: number[] = [];
  /** How many events of each kind there were. */
  readonly kinds = new Map<Event["kind"], number>();
  at = 1_000;
  #keys = 0;

  /** One agent of so many slots, and an account that can pay for all. */
  constructor(slots: number) {
    apply(this.state, elected, this.at);
    this.join("box", slots);
    this.command("account-open", { requester: "ada", grant: 1_000_000_000_000 });
  }

  join(agent: string, slots: number, incarnation = `${agent}-1`): void {
    const register = { incarnation, capability: capability(), policy: openPolicy(slots) };
    this.do({ kind: "register", agent, register });
  }

  command(name: CommandName, body: unknown): void {
    const sender = { role: "owner", who: "ada" } as const;
    this.do({ kind: "command", key: `key-${++this.#keys}-x`, sender, name, body });
  }

  do(input: Input): void {
    let inputs: readonly Input[] = [input];
    for (;;) {
      const { left, more } = this.#batch(inputs);
      if (left === null && !more) return;
      inputs = left === null ? [] : [left];
    }
  }

  /** All that runs ends at its target, until nothing does or `enough`; values fall, so that hardly any is promoted. */
  work(enough: () => boolean): void {
    let value = 1;
    while (this.state.active.size > 0 && !enough()) {
      for (const [fence, id] of [...this.state.active]) {
        value -= 1e-6;
        const trial = this.state.trials.get(id);
        const agent = trial?.attempts.at(-1)?.agent ?? "box";
        const digest = fence.toString(16).padStart(64, "0");
        const resource = trial?.target ?? 0;
        const kept = { resource, digest, bytes: 1, metrics: { accuracy: value }, usedMs: 1 };
        this.do({ kind: "report", agent, report: { kind: "finished", fence, ...kept } });
      }
    }
  }

  #batch(inputs: readonly Input[]): { left: Input | null; more: boolean } {
    const tally = new BatchTally();
    const isFull = () => tally.isFull;
    let left: Input | null = null;
    for (const input of inputs) {
      const answer = run(
        this.state,
        decide(this.state, input, this.at, this.settings, isFull),
        this.at,
        tally,
      );
      if (answer === null) left = input;
      else assert.ok(answer.ok, answer.ok ? "" : answer.refusal.message);
    }
    const more = run(this.state, schedule(this.state, this.at, this.settings, isFull), this.at, tally);
    this.sizes.push(tally.bytes);
    for (const { kind } of tally.events) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    return { left, more };
  }
}
