/** REPL-5 to REPL-7: what becomes of replicas while trials go on, machines go and come, and things are pinned. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { retentionOf } from "../../coordinator/collect/default-retention.ts";
import { referredTo } from "../../coordinator/collect/reference.ts";
import { ReplicaDesk } from "../../coordinator/leader/replica-desk.ts";
import { ReplicaKeeper } from "../../coordinator/leader/replica-keeper.ts";
import { Tracker } from "../../coordinator/leader/tracker.ts";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { replicaSchema } from "../../protocol/order.ts";
import type { Held } from "../../protocol/tracking.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";
import { nextTick, VirtualClock } from "../support/virtual-clock.ts";

const bytes = 3 * 2 ** 20;
const epochs = 40;
const lostMs = 600_000;
const bringMs = 500;

class Place {
  readonly clock = new VirtualClock(nextTick);
  readonly fold = new Fold();
  readonly tracker = new Tracker();
  readonly meshStore = new Set<string>();
  readonly released = new Set<string>();
  /** Asked for, and not yet reported. */
  readonly inFlight = new Set<string>();
  readonly desk: ReplicaDesk;
  readonly keeper: ReplicaKeeper;
  /** Orders do not arrive. */
  isDeaf = false;
  readonly #numbers = new Map<string, number>();
  readonly #away = new Set<string>();
  #resource = 0;
  #next = 1;

  constructor(agents: readonly string[]) {
    const { clock, fold, tracker } = this;
    fold.open("ada", 1_000_000);
    for (const agent of agents) fold.join(agent, 1);
    const spec = sweepSpec({
      search: { method: "random", trials: 1, seed: 1 },
      stopping: { policy: "none", max: epochs },
    });
    fold.must("sweep-run", { spec });
    const giveOrder = ({ agent, body }: { agent: string; body: object }) => this.#obey(agent, body);
    const { state } = fold;
    this.desk = new ReplicaDesk({ clock, state, tracker, giveOrder });
    this.keeper = new ReplicaKeeper({
      ...{ clock, state, tracker, giveOrder, lostMs, desk: this.desk, log: () => undefined },
      prove: (digest) => Promise.resolve(this.meshStore.has(digest) ? "right" : "missing"),
      ask: (question) => question(),
    });
    for (const agent of agents) this.tell(agent, []);
  }

  tell(agent: string, added: readonly Held[]): void {
    if (this.#away.has(agent)) return;
    const number = (this.#numbers.get(agent) ?? 0) + 1;
    this.#numbers.set(agent, number);
    this.tracker.hold(agent, {
      ...{ kind: "hold", incarnation: "1", epoch: 1, number, whole: number === 1, dropped: [] },
      ...{ door: { addresses: [`10.0.0.1${number}:1`] }, store: agent, room: 2 ** 40, added: [...added] },
    });
    this.desk.heard(agent);
  }

  get maker(): string | null {
    const [trial] = this.fold.running();
    return trial === undefined ? null : (activeAttempt(trial)?.agent ?? null);
  }

  /** Null where the machine that trains is away, or nothing trains. */
  async checkpoint(isReported = true, isLast = false): Promise<string | null> {
    const [trial] = this.fold.running();
    const attempt = trial === undefined ? null : activeAttempt(trial);
    if (attempt === null || this.#away.has(attempt.agent) || this.#resource >= epochs - 1) return null;
    const { agent, fence } = attempt;
    const digest = digestOfNumber(this.#next++);
    this.inFlight.add(digest);
    const answer = this.desk.ask(agent, { digest, bytes, fence });
    await this.clock.advance(bringMs * 2);
    if ((await answer).state !== "held") this.meshStore.add(digest);
    this.tell(agent, [{ digest, ...(this.meshStore.has(digest) ? {} : { kept: bytes }) }]);
    if (!isReported) return digest;
    const resource = isLast ? epochs : ++this.#resource;
    const kept = {
      fence,
      resource,
      digest,
      bytes,
      metrics: isLast ? { accuracy: 0.5 } : {},
      usedMs: resource,
    };
    this.fold.report(agent, { kind: isLast ? "finished" : "checkpoint", ...kept });
    // What was said before it counts no more, whenever it comes.
    this.inFlight.clear();
    return digest;
  }

  leave(agent: string, isRevoked: boolean): void {
    this.#away.add(agent);
    if (isRevoked) this.fold.command("agent-revoked", { agent });
    else this.fold.do({ kind: "silent", agent });
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      this.keeper.look();
      await this.clock.advance(Math.min(left, 1_000));
    }
  }

  keepers(digest: string): string[] {
    return [...this.tracker.keepersOf(digest)].filter((agent) => !this.#away.has(agent));
  }

  referred(): ReadonlySet<string> {
    const { state } = this.fold;
    return referredTo({ state, at: state.meta.at, retention: retentionOf(state) });
  }

  #obey(agent: string, body: object): void {
    const order = replicaSchema.parse({ ...body, expires: 1 });
    for (const digest of order.release ?? []) {
      const isStored = this.meshStore.has(digest);
      assert.ok(isStored || !this.referred().has(digest), "REPL-7: something refers to what is released");
      assert.ok(isStored || !this.inFlight.has(digest), "REPL-7: a report names it that is on its way");
      this.released.add(digest);
    }
    if (this.#away.has(agent) || this.isDeaf) return;
    const { take } = order;
    if (take !== undefined) {
      assert.ok([...this.tracker.holdersOf(take.digest)].some((keeper) => !this.#away.has(keeper)));
      this.clock.setTimer(bringMs, () => this.tell(agent, [{ digest: take.digest, kept: take.bytes }]));
    }
    for (const digest of order.release ?? []) this.clock.setTimer(1, () => this.tell(agent, [{ digest }]));
    for (const digest of order.store ?? []) {
      assert.ok(this.tracker.keepersOf(digest).has(agent));
      this.clock.setTimer(bringMs, () => {
        if (this.#away.has(agent)) return;
        this.meshStore.add(digest);
        this.tell(agent, [{ digest }]);
      });
    }
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("checkpoint"), isReported: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 1, max: 400_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("leave"), which: fc.nat({ max: 4 }), isRevoked: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pin") }) },
);

test("REPL-5, REPL-6, REPL-7: two hold what something refers to, or the mesh's store does; nothing else is ever released", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(step, { minLength: 1, maxLength: 14 }),
      async (count, steps) => {
        const place = new Place(Array.from({ length: count }, (_, index) => `m${index}`));
        const gone = new Set<string>();
        let newest: string | null = null;
        for (const each of steps) {
          if (each.kind === "checkpoint" && "isReported" in each)
            newest = (await place.checkpoint(each.isReported)) ?? newest;
          else if (each.kind === "pass" && "ms" in each) await place.pass(each.ms);
          else if (each.kind === "leave" && "which" in each && gone.size === 0) {
            const agent = `m${each.which % count}`;
            gone.add(agent);
            place.leave(agent, each.isRevoked);
          } else if (each.kind === "pin" && newest !== null && !place.meshStore.has(newest))
            place.fold.command("artifact-pin", { digest: newest });
        }
        await place.pass(lostMs + 120_000);
        for (const digest of place.referred()) {
          const keepers = place.keepers(digest);
          assert.ok(
            place.meshStore.has(digest) || new Set(keepers).size >= 2,
            `${digest.slice(-4)} is held by ${keepers.join() || "nobody"} of ${count}, ${[...gone].join()} gone`,
          );
        }
        for (const { digest } of place.fold.state.pins.values())
          assert.ok(place.meshStore.has(digest), "REPL-6");
      },
    ),
    { numRuns: 150 },
  );
});

test("REPL-5: of what only a finished trial left a copy that is away for a while is not made again; one that was revoked is at once", async () => {
  const place = new Place(["m0", "m1", "m2", "m3"]);
  const maker = place.maker ?? assert.fail();
  const digest = (await place.checkpoint(true, true)) ?? assert.fail();
  const holders = place.keepers(digest);
  assert.equal(holders.length, 2);
  const other = holders.find((agent) => agent !== maker) ?? assert.fail();
  place.leave(other, false);
  await place.pass(lostMs - 60_000);
  assert.deepEqual(place.keepers(digest), [maker], "it may be back soon");
  await place.pass(120_000);
  assert.equal(place.keepers(digest).length, 2, "it is gone for good");
  const next = place.keepers(digest).find((agent) => agent !== maker) ?? assert.fail();
  place.leave(next, true);
  await place.pass(30_000);
  assert.equal(place.keepers(digest).length, 2);
  assert.ok(!place.keepers(digest).includes(next));
});

test("REPL-5: what a trial goes on from has a second copy again within seconds", async () => {
  const place = new Place(["m0", "m1", "m2", "m3"]);
  const digest = (await place.checkpoint()) ?? assert.fail();
  await place.pass(1_000);
  place.leave(place.maker ?? "", false);
  await place.pass(2_000);
  assert.equal(place.keepers(digest).length, 2);
});

test("REPL-7: a checkpoint that another has taken the place of is let go within seconds", async () => {
  const place = new Place(["m0", "m1", "m2"]);
  const digests: string[] = [];
  for (let n = 0; n < 8; n++) digests.push((await place.checkpoint()) ?? assert.fail());
  await place.pass(30_000);
  assert.deepEqual([...place.released].toSorted(), digests.slice(0, -1).toSorted());
  assert.equal(place.keepers(digests.at(-1) ?? "").length, 2);
});

test("REPL-7: one that did not hear that it may let a replica go is told again, until it says that it did", async () => {
  const place = new Place(["m0", "m1"]);
  const [first, second] = [(await place.checkpoint()) ?? "", (await place.checkpoint()) ?? ""];
  place.isDeaf = true;
  await place.pass(60_000);
  assert.deepEqual(place.keepers(first), [], "nobody counts on it any more");
  assert.equal([...place.tracker.released()].length, 1);
  place.isDeaf = false;
  await place.pass(30_000);
  assert.deepEqual([...place.tracker.released()], []);
  assert.equal(place.keepers(second).length, 2);
});
