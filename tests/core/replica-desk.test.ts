/** REPL-1 to REPL-3, REPL-7 to REPL-9: who is asked to hold a replica, beside agents that bring it, decline, say nothing, or stop half-way. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ReplicaDesk } from "../../coordinator/leader/replica-desk.ts";
import { Tracker } from "../../coordinator/leader/tracker.ts";
import { rankReplicas } from "../../coordinator/placement/rank-replica.ts";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { replicaSchema } from "../../protocol/order.ts";
import type { Held, ReplicaAnswer } from "../../protocol/tracking.ts";
import { Fold, sweepSpec } from "../support/fold.ts";
import { nextTick, VirtualClock } from "../support/virtual-clock.ts";

const mebibyte = 2 ** 20;
/** Three are asked at most; each may stand still for the whole of its time. */
const boundMs = 3 * (3_000 + 10_000 + 16_000) + 10_000;
const ways = ["takes", "declines", "says nothing", "stops half-way", "is gone"] as const;

const machine = fc.record({
  way: fc.constantFrom(...ways),
  roomMiB: fc.integer({ min: 0, max: 40 }),
  hasDoor: fc.boolean(),
  /** Agents of one number share a folder; 0 is the maker's. */
  store: fc.integer({ min: 0, max: 4 }),
  isOld: fc.boolean(),
});
const wish = fc.record({ digest: fc.integer({ min: 0, max: 4 }), mib: fc.integer({ min: 1, max: 16 }) });
type Machine = Readonly<{
  way: (typeof ways)[number];
  roomMiB: number;
  hasDoor: boolean;
  store: number;
  isOld: boolean;
}>;

class Place {
  readonly clock = new VirtualClock(nextTick);
  readonly fold = new Fold();
  readonly tracker = new Tracker();
  readonly ordered: { readonly agent: string; readonly digest: string; readonly bytes: number }[] = [];
  readonly desk: ReplicaDesk;
  readonly #machines = new Map<string, Machine>();
  readonly #numbers = new Map<string, number>();
  readonly #coming = new Map<string, number[]>();
  readonly fence: number;

  constructor(machines: readonly Machine[]) {
    const { fold } = this;
    fold.open("ada", 1_000_000);
    fold.join("maker", 1);
    fold.must("sweep-run", { spec: sweepSpec({ search: { method: "random", trials: 1, seed: 1 } }) });
    const [trial] = fold.running();
    this.fence = (trial === undefined ? null : activeAttempt(trial))?.fence ?? assert.fail();
    this.desk = new ReplicaDesk({
      ...{ clock: this.clock, state: fold.state, tracker: this.tracker },
      giveOrder: ({ agent, body }) => this.#obey(agent, body),
    });
    this.tell("maker", [], { way: "takes", roomMiB: 100, hasDoor: true, store: 0, isOld: false });
    for (const [index, each] of machines.entries()) {
      const name = `m${index}`;
      fold.join(name, 1);
      this.tell(name, [], each);
      if (each.way === "is gone") fold.do({ kind: "silent", agent: name });
    }
  }

  tell(agent: string, added: readonly Held[], of?: Machine): void {
    const { hasDoor, isOld, roomMiB, store } = of ?? this.#machines.get(agent) ?? assert.fail(agent);
    if (of !== undefined) this.#machines.set(agent, of);
    const number = (this.#numbers.get(agent) ?? 0) + 1;
    this.#numbers.set(agent, number);
    const door = hasDoor ? { addresses: [`10.0.${store}.${agent.length}:${7_000 + number}`] } : null;
    const replicas = isOld ? {} : { store: `folder ${store}`, room: roomMiB * mebibyte };
    assert.ok(
      this.tracker.hold(agent, {
        ...{ kind: "hold", incarnation: "1", epoch: 1, number, whole: number === 1, door, ...replicas },
        ...{ added: [...added], dropped: [] },
      }),
    );
    this.desk.heard(agent);
  }

  /** What an agent does that asks until it knows. */
  async ask(digest: string, bytes: number, fence = this.fence, asker = "maker"): Promise<ReplicaAnswer> {
    for (;;) {
      const answer = await this.desk.ask(asker, { digest, bytes, fence });
      if (answer.state !== "under way") return answer;
      await new Promise<void>((resolve) => void this.clock.setTimer(50, resolve));
    }
  }

  #obey(agent: string, body: unknown): void {
    const order = replicaSchema.safeParse({ ...(body as object), expires: 1 });
    const take = order.success ? order.data.take : undefined;
    assert.ok(take !== undefined, "an order that parses");
    const { bytes, digest } = take;
    const { roomMiB, way } = this.#machines.get(agent) ?? assert.fail(agent);
    this.ordered.push({ agent, digest, bytes });
    const coming = [...(this.#coming.get(agent) ?? []), bytes];
    assert.ok(coming.length <= 2, "REPL-3: a few at a time");
    const sum = coming.reduce((all, each) => all + each, 0);
    assert.ok(sum <= roomMiB * mebibyte, "REPL-3: for no more than it has room for");
    this.#coming.set(agent, coming);
    const end = () => void this.#coming.set(agent, (this.#coming.get(agent) ?? []).slice(1));
    if (way === "declines") this.clock.setTimer(20, () => (end(), this.desk.declined(agent, digest)));
    // The desk stops to wait for it.
    if (way === "says nothing") this.clock.setTimer(2_999, end);
    if (way === "stops half-way") this.clock.setTimer(9_000, end);
    if (way !== "takes" && way !== "stops half-way") return;
    this.clock.setTimer(100, () => this.tell(agent, [{ digest, part: true }]));
    if (way === "takes")
      this.clock.setTimer(1_000, () => (end(), this.tell(agent, [{ digest, kept: bytes }])));
  }
}

const digestOf = (n: number) => String(n).repeat(64);

test("REPL-1, REPL-3: it is held by another machine, or the mesh's store is to hold it; and that is known in bounded time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(machine, { maxLength: 6 }),
      fc.array(wish, { minLength: 1, maxLength: 6 }),
      async (machines, wishes) => {
        const place = new Place(machines);
        const answers = new Map<number, ReplicaAnswer>();
        for (const [index, { digest, mib }] of wishes.entries())
          void place.ask(digestOf(digest), mib * mebibyte).then((answer) => answers.set(index, answer));
        await place.clock.advance(boundMs);
        assert.equal(answers.size, wishes.length, "whoever asks is answered");
        for (const [index, { by, state }] of answers) {
          const digest = digestOf(wishes[index]?.digest ?? -1);
          const tried = place.ordered.filter((order) => order.digest === digest).map(({ agent }) => agent);
          for (const agent of tried) {
            const { hasDoor, isOld, store, way } = machines[Number(agent.slice(1))] ?? assert.fail();
            assert.ok(hasDoor && !isOld && store !== 0 && way !== "is gone");
          }
          if (state === "none") continue;
          const holder = machines[Number(by?.slice(1))];
          assert.ok(holder?.way === "takes" && holder.store !== 0, `${by} holds it`);
          assert.ok(place.tracker.keepersOf(digest).has(by ?? ""));
          assert.equal(place.desk.isOver(digest), false, "GC-5: a report may be on its way that names it");
        }
        const able = machines.some(
          ({ hasDoor, isOld, roomMiB, store, way }) =>
            way === "takes" && hasDoor && !isOld && store !== 0 && roomMiB >= 16,
        );
        const isSure = able && machines.every(({ way }) => way === "takes") && wishes.length === 1;
        if (isSure) assert.equal(answers.get(0)?.state, "held");
      },
    ),
    { numRuns: 200 },
  );
});

test("REPL-3: nobody is asked on behalf of one that holds no such lease", async () => {
  const place = new Place([{ way: "takes", roomMiB: 40, hasDoor: true, store: 1, isOld: false }]);
  for (const [asker, fence] of [
    ["m0", place.fence],
    ["maker", place.fence + 1],
    ["stranger", place.fence],
  ] as const)
    assert.deepEqual(await place.ask(digestOf(1), mebibyte, fence, asker), { state: "none" });
  assert.deepEqual(place.ordered, []);
});

test("REPL-8: whoever asks counts as no keeper before it says that it keeps it, and others can have it from there", async () => {
  for (const way of ["takes", "declines"] as const) {
    const place = new Place([{ way, roomMiB: 40, hasDoor: true, store: 1, isOld: false }]);
    const answer = place.ask(digestOf(1), mebibyte);
    assert.deepEqual([...place.tracker.keepersOf(digestOf(1))], []);
    assert.deepEqual([...place.tracker.holdersOf(digestOf(1))], ["maker"]);
    await place.clock.advance(boundMs);
    assert.equal((await answer).state, way === "takes" ? "held" : "none");
    assert.deepEqual([...place.tracker.keepersOf(digestOf(1))], way === "takes" ? ["m0"] : []);
    place.tell("maker", [{ digest: digestOf(1), kept: mebibyte }]);
    void place.ask(digestOf(1), mebibyte);
    assert.ok(place.tracker.keepersOf(digestOf(1)).has("maker"), "asked again it goes on being one");
  }
});

test("REPL-9: what was collected is asked of nobody when it is made again, though an agent is known to keep it", async () => {
  const place = new Place([{ way: "takes", roomMiB: 40, hasDoor: true, store: 1, isOld: false }]);
  const digest = digestOf(1);
  place.tell("m0", [{ digest, kept: mebibyte }]);
  assert.deepEqual(await place.ask(digest, mebibyte), { state: "held", by: "m0" });
  place.fold.state.gone.set(digest, 1);
  assert.deepEqual(await place.ask(digest, mebibyte), { state: "none" });
  place.fold.state.gone.delete(digest);
  assert.deepEqual(await place.ask(digest, mebibyte), { state: "held", by: "m0" });
  assert.deepEqual(place.ordered, []);
});

test("REPL-7: nothing is over while a report that names it may come, whichever answers are lost and asked for again", async () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constantFrom("make" as const, "report" as const) }),
    fc.record({ kind: fc.constant("ask again" as const), which: fc.nat(9) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 8 }),
      fc.array(operation, { maxLength: 30 }),
      async (digests, operations) => {
        const place = new Place([{ way: "takes", roomMiB: 40, hasDoor: true, store: 1, isOld: false }]);
        let [made, reported] = [0, 0];
        const digestAt = (index: number) => digestOf(digests[index] ?? 0);
        for (const each of operations) {
          const open = made - reported;
          if (each.kind === "make" && made < digests.length) void place.ask(digestAt(made++), mebibyte);
          else if (each.kind === "ask again" && open > 0)
            void place.ask(digestAt(reported + (each.which % open)), mebibyte);
          else if (each.kind === "report" && open > 0) {
            const digest = digestAt(reported++);
            const said = {
              fence: place.fence,
              resource: reported,
              digest,
              bytes: mebibyte,
              usedMs: reported,
            };
            place.fold.report("maker", { kind: "checkpoint", ...said, metrics: {} });
          }
          await place.clock.advance(each.kind === "make" ? 400 : 1_500);
          for (let index = reported; index < made; index++)
            assert.equal(place.desk.isOver(digestAt(index)), false, `number ${index} is not reported yet`);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("REPL-1: who said nothing when it was asked last is waited for less, and as before once it has answered", async () => {
  const place = new Place([{ way: "says nothing", roomMiB: 40, hasDoor: true, store: 1, isOld: false }]);
  const waited = async (digest: number) => {
    const from = place.clock.monotonic();
    let ms = 0;
    void place.ask(digestOf(digest), mebibyte).then(({ state }) => {
      assert.equal(state, "none");
      ms = place.clock.monotonic() - from;
    });
    await place.clock.advance(10 * 60_000);
    return ms;
  };
  assert.ok((await waited(1)) >= 3_000);
  assert.ok((await waited(2)) <= 600, "a credential of before is no more waited for each time");
  place.tell("m0", [], { way: "declines", roomMiB: 40, hasDoor: true, store: 1, isOld: false });
  await waited(3);
  place.tell("m0", [], { way: "says nothing", roomMiB: 40, hasDoor: true, store: 1, isOld: false });
  assert.ok((await waited(4)) >= 3_000);
});

test("REPL-2: another machine first, then who could run it, then the nearer and the less busy", () => {
  const host = fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.9.1");
  const candidate = fc.record({
    host,
    couldRun: fc.boolean(),
    underWay: fc.integer({ min: 0, max: 2 }),
    load: fc.constantFrom(0, 0.5, 1),
  });
  fc.assert(
    fc.property(host, fc.array(candidate, { maxLength: 8 }), (from, list) => {
      const named = list.map((each, n) => ({
        ...each,
        agent: `m${n}`,
        door: { addresses: [`${each.host}:${n}`] },
      }));
      const ranked = rankReplicas({ addresses: [`${from}:7`] }, named);
      assert.deepEqual(new Set(ranked), new Set(named));
      const keyOf = (each: (typeof named)[number]) => {
        const isSame = each.host === from;
        const isNear = each.host.slice(0, 6) === from.slice(0, 6);
        return [isSame, !each.couldRun, !isNear].map(Number).join("") + String(each.underWay + each.load);
      };
      const keys = ranked.map(keyOf);
      assert.deepEqual(keys, keys.toSorted());
    }),
  );
});
