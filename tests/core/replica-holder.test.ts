/** REPL-1, REPL-3, REPL-4: what an agent keeps of others' checkpoints and of its own, over a real store and a peer in memory. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { KeptCheckpoint } from "../../artifact/cache/kept-checkpoint.ts";
import { ReplicaHolder } from "../../artifact/cache/replica-holder.ts";
import type { ChunkSource } from "../../artifact/chunk-source.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import type { Digest } from "../../protocol/id.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Held } from "../../protocol/tracking.ts";

const mebibyte = 2 ** 20;
const quotaBytes = 20 * mebibyte;

/** Bytes that no other number has. */
function made(mib: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(Math.round(mib * mebibyte));
  for (let at = 0; at < bytes.length; at += 4_096)
    bytes.set([seed, at & 255, (at >> 8) & 255, (at >> 16) & 255], at);
  return bytes;
}

class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), "trialmesh-replica-"));
  store: ArtifactStore;
  readonly told: Held[] = [];
  readonly declined: Digest[] = [];
  readonly lines: string[] = [];
  free = 100 * mebibyte;
  answer: string | null = null;
  /** Chunks that its peer gave. */
  given = 0;

  constructor() {
    this.store = this.#open();
  }

  #open(): ArtifactStore {
    return new ArtifactStore({ folder: this.folder, clock: systemClock, quotaBytes });
  }

  async openAgain(): Promise<void> {
    await this.store.close();
    this.store = this.#open();
  }

  kept(): KeptCheckpoint {
    return new KeptCheckpoint({ store: this.store, diskFree: () => this.free });
  }

  holder(peer: Machine | null, ask = () => Promise.resolve(this.answer)): ReplicaHolder {
    return new ReplicaHolder({
      ...{
        store: this.store,
        kept: this.kept(),
        clock: systemClock,
        say: (line: string) => this.lines.push(line),
      },
      peers: peer === null ? [] : [this.#sourceOf(peer)],
      ask,
      decline: (digest) => this.declined.push(digest),
      onHeld: (held) => this.told.push(held),
      onDropped: () => undefined,
    });
  }

  #sourceOf({ store }: Machine): ChunkSource {
    return {
      name: "the peer",
      bring: async (work) => {
        for (;;) {
          const taken = work.take({ countMax: 1 });
          const [chunk] = taken ?? [];
          if (taken === null) return { kind: "done" };
          if (chunk === undefined) {
            await work.changed();
            continue;
          }
          const bytes = await store.chunk(chunk.digest);
          if (bytes === null) {
            work.putBack([chunk]);
            return { kind: "missing" };
          }
          this.given++;
          assert.ok(await work.give(chunk, bytes));
        }
      },
    };
  }

  async add(mib: number, seed: number): Promise<Digest> {
    const { digest, held } = await this.store.addBytes(Buffer.from(made(mib, seed)));
    held.release();
    return digest;
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function two(run: (maker: Machine, taker: Machine) => Promise<void>): Promise<void> {
  const [maker, taker] = [new Machine(), new Machine()];
  try {
    await run(maker, taker);
  } finally {
    await maker.close();
    await taker.close();
  }
}

test("REPL-4: a replica is kept, also over a restart, whatever comes after it, until it is released", () =>
  two(async (maker, taker) => {
    const digest = await maker.add(3, 1);
    await taker.holder(maker).take(digest, 3 * mebibyte, true);
    assert.deepEqual(taker.told.at(-1), { digest, kept: 3 * mebibyte });
    await taker.openAgain();
    for (let seed = 2; seed < 14; seed++) await taker.add(3, seed);
    assert.notEqual(taker.store.entry(digest), null, "it stays while others go");
    assert.ok(taker.store.index.totalBytes <= quotaBytes);
    taker.holder(maker).release(digest);
    assert.deepEqual(taker.told.at(-1), { digest });
    for (let seed = 20; seed < 30; seed++) await taker.add(3, seed);
    assert.equal(taker.store.entry(digest), null, "it goes as any other then");
  }));

test("REPL-3: it declines what it has no room for, what is larger than was said, what nobody gives, and while its owner wants the machine", () =>
  two(async (maker, taker) => {
    const digest = await maker.add(6, 1);
    const holder = () => taker.holder(maker);
    const declines = async (why: string, run: () => Promise<void>) => {
      const before = taker.declined.length;
      await run();
      assert.equal(taker.declined.length, before + 1, why);
      assert.equal(taker.store.keeps.has(digest), false, why);
    };
    await declines("the owner's", () => holder().take(digest, 6 * mebibyte, false));
    await declines("more than half of the quota", () => holder().take(digest, 11 * mebibyte, true));
    taker.free = 5 * mebibyte;
    await declines("a full disk", () => holder().take(digest, 6 * mebibyte, true));
    taker.free = 100 * mebibyte;
    assert.equal(taker.given, 0, "nothing was asked for");
    await declines("larger than was said", () => holder().take(digest, 2 * mebibyte, true));
    assert.ok(taker.given <= 1, `${taker.given} chunks of it came`);
    await declines("nobody has it", () => holder().take("f".repeat(64), mebibyte, true));
    await declines("no peers", () => taker.holder(null).take(digest, 6 * mebibyte, true));
    await holder().take(digest, 6 * mebibyte, true);
    assert.ok(taker.store.keeps.has(digest));
    const other = await maker.add(5, 2);
    await holder().take(other, 5 * mebibyte, true);
    assert.equal(taker.store.keeps.has(other), false, "together they would be more than half of the quota");
  }));

test("REPL-1: its own checkpoint counts as held only where another has it, and stays only then", () =>
  two(async (maker) => {
    const digest = await maker.add(3, 1);
    const replicated = { digest, bytes: 3 * mebibyte, fence: 1 };
    assert.equal(await maker.holder(null).replicate(replicated), false);
    assert.deepEqual([maker.store.keeps.has(digest), maker.told], [false, []]);
    maker.answer = "den";
    assert.equal(await maker.holder(null).replicate(replicated), true);
    assert.deepEqual([maker.store.keeps.has(digest), maker.told], [true, [{ digest, kept: 3 * mebibyte }]]);
    maker.answer = null;
    assert.equal(await maker.holder(null).replicate(replicated), false);
    assert.ok(maker.store.keeps.has(digest), "what was held before goes on being kept");
    const large = await maker.add(8, 2);
    maker.answer = "den";
    assert.equal(
      await maker.holder(null).replicate({ ...replicated, digest: large, bytes: 8 * mebibyte }),
      false,
    );
    assert.equal(
      maker.store.keeps.has(large),
      false,
      "beyond half of the quota the mesh's store is to hold it",
    );
    const small = await maker.add(0.2, 3);
    assert.equal(await maker.holder(null).replicate({ digest: small, bytes: 209_715, fence: 1 }), false);
  }));

test("REPL-8: nothing is kept, nor said to be, while nobody is known to have it too", () =>
  two(async (maker) => {
    const digest = await maker.add(3, 1);
    const answer = Promise.withResolvers<string | null>();
    const holder = maker.holder(null, () => answer.promise);
    const replicating = holder.replicate({ digest, bytes: 3 * mebibyte, fence: 1 });
    await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual([maker.store.keeps.has(digest), maker.told], [false, []]);
    answer.resolve("den");
    assert.equal(await replicating, true);
    assert.deepEqual([maker.store.keeps.has(digest), maker.told], [true, [{ digest, kept: 3 * mebibyte }]]);
  }));

test("REPL-1: of two attempts that leave the same checkpoint, the one that finds nobody takes nothing from the other", () =>
  two(async (maker) => {
    const digest = await maker.add(3, 1);
    for (const order of [0, 1]) {
      const answers = [Promise.withResolvers<string | null>(), Promise.withResolvers<string | null>()];
      let asked = 0;
      const holder = maker.holder(null, () => answers[asked++]?.promise ?? Promise.resolve(null));
      const both = [1, 2].map((fence) => holder.replicate({ digest, bytes: 3 * mebibyte, fence }));
      answers[order]?.resolve("den");
      assert.equal(await both[order], true);
      answers[1 - order]?.resolve(null);
      assert.equal(await both[1 - order], false);
      assert.ok(
        maker.store.keeps.has(digest),
        `the ${order === 0 ? "first" : "second"} one was told that den has it`,
      );
      holder.release(digest);
      assert.equal(maker.store.keeps.has(digest), false);
    }
  }));
