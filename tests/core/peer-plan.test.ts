/** FETCH-1 and FETCH-2, UPLOAD-1 and UPLOAD-2: who is asked for which chunk, who is served and how fast, over generated histories. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChunkPlan, type ChunkAsk } from "../../artifact/peer/chunk-plan.ts";
import { chunksOf, rangesOf } from "../../artifact/peer/chunk-range.ts";
import { UploadRate } from "../../artifact/peer/upload-rate.ts";
import { busyWaitMs, UploadSlots } from "../../artifact/peer/upload-slot.ts";
import { readTree } from "../../artifact/peer/read-tree.ts";
import { childrenMax, chunkBytesMax, chunkDigest, TreeHash, writeNode } from "../../artifact/chunk-tree.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const names = ["a", "b", "c", "d"] as const;

/** A number from 0 to 1 that follows from the one before. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

const step = fc.record({
  peer: fc.constantFrom(...names),
  what: fc.constantFrom(
    "ask",
    "ask",
    "ask",
    "send",
    "send",
    "send",
    "send",
    "leave",
    "refuse",
    "learn",
    "again",
    "wrong",
  ),
  some: fc.nat(1_000),
});

/** A plan beside what is known of it by other means; what it asks is held to that. */
class WatchedPlan {
  readonly plan: ChunkPlan;
  readonly kept = new Set<number>();
  readonly asks = new Set<ChunkAsk>();
  readonly #holds = new Map<string, Set<number>>();
  readonly #random: () => number;

  constructor(count: number, seed: number) {
    this.#random = seeded(seed);
    this.plan = new ChunkPlan(count, this.#random);
    for (const name of names) this.begin(name);
    this.learn("a", [...Array.from({ length: count }).keys()]);
  }

  learn(peer: string, indexes: readonly number[]): void {
    assert.ok(this.plan.learn(peer, rangesOf(indexes)));
    for (const index of indexes) this.#holds.get(peer)?.add(index);
  }

  begin(peer: string): void {
    this.plan.add(peer);
    this.#holds.set(peer, new Set());
    this.#forget(peer);
  }

  leave(peer: string): void {
    this.plan.remove(peer);
    this.#forget(peer);
  }

  asked(ask: ChunkAsk | null, isLate: boolean): void {
    if (ask === null) return;
    assert.deepEqual(
      [...ask.candidates],
      [...new Set(ask.candidates)].toSorted((a, b) => a - b),
    );
    assert.ok(ask.most >= 1 && ask.most <= ask.candidates.length);
    for (const index of ask.candidates) {
      assert.ok(!this.kept.has(index), "asked for what is kept");
      assert.ok(this.#holds.get(ask.peer)?.has(index), "asked of one that has it not");
      const others = [...this.asks].filter((one) => (one.coming ?? new Set(one.candidates)).has(index));
      assert.ok(others.length <= (isLate ? 1 : 0), "asked of too many");
    }
    this.asks.add(ask);
  }

  /** One chunk of it comes. */
  send(ask: ChunkAsk, isRight: boolean): void {
    if (ask.coming === null) {
      const chosen = ask.candidates.filter(() => this.#random() < 0.5).slice(0, ask.most);
      assert.ok(this.plan.choose(ask, chosen.length > 0 ? chosen : ask.candidates.slice(0, 1)));
    }
    const [index] = ask.coming ?? [];
    if (index !== undefined) {
      assert.ok(this.plan.arrive(ask, index));
      assert.equal(this.plan.arrive(ask, index), false);
      this.plan.keep(index);
      if (isRight) this.kept.add(index);
      else if (!this.kept.has(index)) this.plan.lose(index);
    }
    if (ask.coming?.size === 0) this.asks.delete(ask);
  }

  end(ask: ChunkAsk): void {
    this.plan.end(ask);
    this.asks.delete(ask);
  }

  #forget(peer: string): void {
    for (const ask of this.asks) if (ask.peer === peer) this.asks.delete(ask);
  }
}

test("FETCH-1, FETCH-2: whatever peers do, no chunk that is kept is asked for, none is asked of two but a late one, and all come", () => {
  const history = fc.tuple(
    fc.integer({ min: 1, max: 80 }),
    fc.nat(10_000),
    fc.array(step, { maxLength: 200 }),
  );
  fc.assert(
    fc.property(history, ([count, seed, steps]) => {
      const watched = new WatchedPlan(count, seed);
      const { plan } = watched;
      for (const [at, { peer, some, what }] of steps.entries()) {
        const own = [...watched.asks].find((ask) => ask.peer === peer);
        if (what === "learn") watched.learn(peer, [some % count]);
        else if (what === "leave" && peer !== "a") watched.begin(peer);
        else if (what === "ask") watched.asked(plan.ask(peer, 1 + (some % 16), at), false);
        else if (what === "again") watched.asked(plan.askAgain(peer, at, at - 5), true);
        else if (own !== undefined && what === "refuse") watched.end(own);
        else if (own !== undefined) watched.send(own, what !== "wrong");
      }
      // In the end one that has all gives all.
      for (const name of names.slice(1)) watched.leave(name);
      for (let turn = 0; turn < 10 * count && !plan.isWhole; turn++) {
        const [waiting] = watched.asks;
        const ask = waiting ?? plan.ask("a", 8, steps.length);
        assert.ok(ask !== null, "something is missing and nothing can be asked for");
        if (waiting === undefined) watched.asked(ask, false);
        watched.send(ask, true);
      }
      assert.equal(watched.kept.size, count);
      assert.ok(plan.isWhole && plan.isAllAsked);
      assert.equal(plan.ask("a", 8, steps.length), null);
    }),
    { numRuns: 300 },
  );
});

test("FETCH-1: what was kept before is asked for by nobody", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(39)), fc.nat(100), (before, seed) => {
      const plan = new ChunkPlan(40, seeded(seed));
      for (const index of before) plan.keep(index);
      plan.add("a");
      plan.learn("a", [{ first: 0, count: 40 }]);
      const asked: number[] = [];
      for (;;) {
        const ask = plan.ask("a", 7, 0);
        if (ask === null) break;
        asked.push(...ask.candidates.slice(0, ask.most));
        plan.choose(ask, ask.candidates.slice(0, ask.most));
      }
      assert.equal(asked.length, 40 - before.length);
      assert.ok(before.every((index) => !asked.includes(index)));
    }),
  );
});

test("FETCH-1: of what a machine holds the rarest is asked for first", () => {
  const plan = new ChunkPlan(10, () => 0);
  for (const name of names) plan.add(name);
  for (const name of names.slice(1)) plan.learn(name, [{ first: 0, count: 6 }]);
  plan.learn("a", [{ first: 0, count: 9 }]);
  assert.deepEqual(plan.ask("a", 3, 0)?.candidates, [6, 7, 8]);
});

test("a peer cannot choose, send or hold what was not asked of it or is not there", () => {
  const plan = new ChunkPlan(10, () => 0);
  plan.add("a");
  assert.equal(plan.learn("a", [{ first: 5, count: 6 }]), false);
  plan.learn("a", [{ first: 0, count: 8 }]);
  const ask = plan.ask("a", 2, 0);
  assert.ok(ask !== null);
  assert.equal(plan.choose(ask, [9]), false);
  assert.equal(plan.choose(ask, [0, 0]), false);
  assert.equal(plan.choose(ask, [0, 1, 2]), false);
  assert.equal(plan.arrive(ask, 1), false);
  assert.ok(plan.choose(ask, [0, 1]));
  assert.equal(plan.choose(ask, [0, 1]), false);
  assert.equal(plan.arrive(ask, 3), false);
});

test("UPLOAD-1: over any span no more leaves than the rate gives, and one burst", async () => {
  const takes = fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 16_384 })), {
    minLength: 1,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(takes, fc.integer({ min: 10_000, max: 10_000_000 }), async (steps, perSecond) => {
      const clock = new VirtualClock();
      const rate = new UploadRate(clock, perSecond);
      const left: { at: number; bytes: number }[] = [];
      let at = 0;
      for (const [wait, bytes] of steps) {
        at += wait;
        clock.setTimer(at, () => {
          void rate.take(bytes).then(() => left.push({ at: clock.monotonic(), bytes }));
        });
      }
      await clock.advance(at + 100_000_000);
      assert.equal(left.length, steps.length);
      for (const [first, { at: since }] of left.entries()) {
        let sum = 0;
        for (const { at: until, bytes } of left.slice(first)) {
          sum += bytes;
          // 50 ms of burst, 2 ms that no timer is set for, and the first piece.
          const most = ((until - since + 52) / 1_000) * perSecond + 16_384 + 1;
          assert.ok(sum <= most, `${sum} bytes in ${until - since} ms at ${perSecond}/s`);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("UPLOAD-1: a rate that is changed is that of those who wait, down and up, and none holds nobody", async () => {
  const change = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 100_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.boolean(), async (changes, ends) => {
      const clock = new VirtualClock();
      const rate = new UploadRate(clock, 1_000);
      let left = 0;
      const began = clock.monotonic();
      for (let n = 0; n < 40; n++) void rate.take(10_000).then(() => (left += 10_000));
      let most = 0;
      let perSecond = 1_000;
      for (const [ms, next] of changes) {
        await clock.advance(ms);
        most += (perSecond * ms) / 1_000;
        rate.change((perSecond = next));
        // What waits leaves at the time its bytes have: no piece too early, and none more than one too late.
        assert.ok(left <= most + 1_000 && left >= Math.min(400_000, most) - 10_000, `${left} of ${most}`);
      }
      if (ends) {
        rate.change(Infinity);
        await clock.advance(1);
        assert.equal(left, 400_000);
        return;
      }
      await clock.advance(1_000_000_000);
      assert.equal(left, 400_000);
      assert.ok(clock.monotonic() > began);
    }),
    { numRuns: 60 },
  );
});

test("UPLOAD-2: never more machines than slots, and whoever goes on asking is served, in turn", () => {
  const peers = Array.from({ length: 7 }, (_, index) => `p${index}`);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(1_000), (count, seed) => {
      const random = seeded(seed);
      const slots = new UploadSlots(count);
      const served = new Map(peers.map((peer) => [peer, 0]));
      const busy: { peer: string; until: number }[] = [];
      const again = new Map(peers.map((peer) => [peer, random() * 100]));
      for (let now = 0; now < 60_000; now += 10) {
        for (const one of busy.filter(({ until }) => until <= now)) {
          busy.splice(busy.indexOf(one), 1);
          slots.release(one.peer);
        }
        for (const peer of peers) {
          if ((again.get(peer) ?? 0) > now || busy.some((one) => one.peer === peer)) continue;
          if (slots.take(peer, now)) {
            busy.push({ peer, until: now + 20 + random() * 30 });
            served.set(peer, (served.get(peer) ?? 0) + 1);
          } else again.set(peer, now + busyWaitMs * (1 + random() / 4));
        }
        assert.ok(slots.served <= count);
        assert.ok(new Set(busy.map(({ peer }) => peer)).size <= count);
      }
      const times = [...served.values()];
      assert.ok(Math.min(...times) * 3 > Math.max(...times), `served ${times.join(", ")}`);
    }),
    { numRuns: 30 },
  );
});

test("FETCH-3: a tree of which the nodes contradict each other is none, and one that is too large is refused by its first node", async () => {
  const tree = new TreeHash();
  for (let index = 0; index < 3; index++) tree.add(Buffer.alloc(chunkBytesMax, index));
  const { digest, nodes } = tree.end();
  const all = new Map(nodes.map((node) => [node.digest, node.data]));
  const get = (node: string) => {
    const data = all.get(node);
    return Promise.resolve(data === undefined ? refuse("unknown", "no such node") : accept(data));
  };
  const right = await readTree(digest, get, 3 * chunkBytesMax);
  assert.ok(right.ok && right.value.chunks === 3);
  const large = await readTree(digest, get, 3 * chunkBytesMax - 1);
  assert.ok(!large.ok && /3145728 bytes, where 3145727/.test(large.refusal.message));
  // Says that two full nodes lie below it, and names one that has three chunks.
  const bytes = (childrenMax + 5) * chunkBytesMax;
  const root = writeNode({ level: 2, bytes, children: [digest, digest] });
  all.set(chunkDigest(root), root);
  const wrong = await readTree(chunkDigest(root), get, Number.MAX_SAFE_INTEGER);
  assert.ok(!wrong.ok && /contradict/.test(wrong.refusal.message));
  assert.deepEqual([...chunksOf([{ first: 2, count: 2 }])], [2, 3]);
});
