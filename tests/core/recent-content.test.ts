/** What an agent keeps of the small checkpoints that it sent: the newest, up to a bound, over its restarts. */
import assert from "node:assert/strict";
import test from "node:test";
import { RecentContent } from "../../agent/recent-content.ts";
import { chunkDigest } from "../../artifact/chunk-tree.ts";
import { packBytesMax } from "../../artifact/pack.ts";
import { bytesPerKiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { MemoryDisk } from "../support/memory-store.ts";

function openStore(disk = new MemoryDisk()) {
  const opening = disk.open("1");
  assert.ok(opening.kind === "opened");
  return opening.store;
}

const content = (number: number, length = 700) => Buffer.from(`content ${number} `.padEnd(length, "c"));
const contentsOf = (...all: readonly Buffer[]) => new Map(all.map((bytes) => [chunkDigest(bytes), bytes]));

test("RECENT-1: what went with a report is here, in this run and the next, and nothing else is", async () => {
  const store = openStore();
  const recent = new RecentContent(store);
  const [one, two] = [content(1), content(2)];
  await store.write(recent.note(contentsOf(one, two)));
  // What is here already is not written again.
  assert.deepEqual(recent.note(contentsOf(one)), { put: [], remove: [] });
  for (const run of [recent, new RecentContent(store)]) {
    assert.ok(one.equals(run.get(chunkDigest(one)) ?? assert.fail()));
    assert.ok(two.equals(run.get(chunkDigest(two)) ?? assert.fail()));
    assert.equal(run.get(chunkDigest(content(3))), null);
  }
  const next = new RecentContent(store);
  await store.write(next.note(contentsOf(content(3))));
  assert.ok(one.equals(next.get(chunkDigest(one)) ?? assert.fail("a later run writes over nothing")));
});

test("RECENT-2: the oldest go once they are more than may be kept", async () => {
  const store = openStore();
  const recent = new RecentContent(store);
  const size = 32 * bytesPerKiB;
  const many = Math.ceil((80 * bytesPerMiB) / size);
  for (let number = 0; number < many; number++)
    await store.write(recent.note(contentsOf(content(number, size))));
  const has = (run: RecentContent, number: number) => run.get(chunkDigest(content(number, size))) !== null;
  for (const run of [recent, new RecentContent(store)]) {
    assert.ok(!has(run, 0) && has(run, many - 1));
    const first = Array.from({ length: many }, (_, number) => number).findIndex((number) => has(run, number));
    assert.ok((many - first) * size <= 64 * bytesPerMiB && (many - first) * size > 60 * bytesPerMiB);
  }
});

test("RECENT-3: what is not as it was written is not given away, and goes", async () => {
  const store = openStore();
  const recent = new RecentContent(store);
  const one = content(1);
  const { put } = recent.note(contentsOf(one));
  const [[key, bytes] = assert.fail()] = put;
  assert.ok(bytes instanceof Uint8Array && bytes.length < packBytesMax);
  const harmed = Uint8Array.from(bytes, (byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));
  await store.write({ put: [[key, harmed]], remove: [] });
  assert.equal(recent.get(chunkDigest(one)), null);
  await store.write({ put: [[key, "no pack"]], remove: [] });
  const next = new RecentContent(store);
  assert.equal(next.get(chunkDigest(one)), null);
  assert.deepEqual(next.note(new Map()).remove, [key]);
});
