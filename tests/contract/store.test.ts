// One suite for every Store: what it promises its owner, in memory and on disk.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import fc from "fast-check";

import { openLmdbStore } from "../../store/lmdb-store.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import { StoreError, type Store, type StoreOpening } from "../../store/store.ts";

interface Place {
  open(version: string): Promise<StoreOpening>;
}

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-store-"));
  folders.push(folder);
  return folder;
}

function memoryPlace(): Place {
  const disk = new MemoryDisk();
  return { open: async (version) => disk.open(version) };
}

function lmdbPlace(): Place {
  const path = newFolder();
  return { open: (version) => openLmdbStore({ path, version }) };
}

async function opened(place: Place): Promise<Store> {
  const opening = await place.open("1");
  assert.equal(opening.kind, "opened");
  assert.ok(opening.kind === "opened");
  return opening.store;
}

const keys = fc.string({
  unit: fc.constantFrom("a", "b", ":", "0", "9", "é", "語", "😀"),
  minLength: 1,
  maxLength: 6,
});
// The border lets no key of this name in, so no value of ours has it.
const values = fc
  .jsonValue({ noUnicodeString: false })
  .filter((value) => !JSON.stringify(value).includes("__proto__"))
  .map((value): unknown => JSON.parse(JSON.stringify(value)));
const changes = fc.record({
  put: fc.array(fc.tuple(keys, values), { maxLength: 8 }),
  remove: fc.array(keys, { maxLength: 3 }),
});

for (const [name, newPlace] of [
  ["memory", memoryPlace],
  ["lmdb", lmdbPlace],
] as const) {
  describe(`Store (${name})`, () => {
    test("STORE-1: reads and ranges are those of a sorted map, before and after a reopening", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(changes, { maxLength: 6 }), keys, async (writes, prefix) => {
          const place = newPlace();
          const model = new Map<string, unknown>();
          let store = await opened(place);
          for (const write of writes) {
            await store.write(write);
            for (const [key, value] of write.put) model.set(key, value);
            for (const key of write.remove) model.delete(key);
          }
          const sorted = [...model].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          for (const round of ["fresh", "reopened"]) {
            assert.deepEqual([...store.range("")], sorted, round);
            assert.deepEqual(
              [...store.range(prefix)],
              sorted.filter(([key]) => key.startsWith(prefix)),
              round,
            );
            for (const [key, value] of sorted) assert.deepEqual(store.get(key), value, round);
            await store.close();
            if (round === "fresh") store = await opened(place);
          }
        }),
        { numRuns: 25 },
      );
    });

    test("STORE-2: bytes and nested objects come back as they were; a missing key is undefined", async () => {
      const store = await opened(newPlace());
      const value = {
        bytes: new Uint8Array([0, 255, 7]),
        list: [1, 2.5, null, true, "é"],
        deep: { a: { b: 1 } },
      };
      await store.write({ put: [["k", value]], remove: [] });
      const back = store.get("k");
      assert.ok(
        typeof back === "object" && back !== null && "bytes" in back && back.bytes instanceof Uint8Array,
      );
      assert.deepEqual({ ...back, bytes: new Uint8Array(back.bytes) }, value);
      assert.equal(store.get("nothing"), undefined);
      await store.close();
    });

    test("STORE-3: what is read is a copy, and so is what was written", async () => {
      const store = await opened(newPlace());
      const value = { list: [1] };
      await store.write({ put: [["k", value]], remove: [] });
      value.list.push(2);
      const read = store.get("k");
      assert.deepEqual(read, { list: [1] });
      assert.ok(typeof read === "object" && read !== null && "list" in read && Array.isArray(read.list));
      read.list.push(3);
      assert.deepEqual(store.get("k"), { list: [1] });
      await store.close();
    });

    test("STORE-4: a write that fails half way stores nothing, and the next one works", async () => {
      const store = await opened(newPlace());
      const poison = {
        get bad(): number {
          throw new Error("this value cannot be stored");
        },
      };
      await assert.rejects(
        store.write({
          put: [
            ["a", 1],
            ["b", poison],
          ],
          remove: [],
        }),
      );
      assert.equal(store.get("a"), undefined);
      await store.write({ put: [["c", 3]], remove: [] });
      assert.deepEqual([...store.range("")], [["c", 3]]);
      await store.close();
    });

    test("STORE-5: a store of another schema version is refused, named, and left as it is", async () => {
      const place = newPlace();
      const store = await opened(place);
      await store.write({ put: [["k", 1]], remove: [] });
      await store.close();
      const opening = await place.open("2");
      assert.ok(opening.kind === "refused" && opening.refusal.kind === "another-version");
      assert.equal(opening.refusal.found, "1");
      const again = await opened(place);
      assert.equal(again.get("k"), 1);
      await again.close();
    });

    test("STORE-6: overlapping writes take effect in the order of their calls", async () => {
      const place = newPlace();
      const store = await opened(place);
      await Promise.all(Array.from({ length: 50 }, (_, n) => store.write({ put: [["k", n]], remove: [] })));
      assert.equal(store.get("k"), 49);
      await store.close();
      await assert.rejects(store.write({ put: [["k", 1]], remove: [] }), StoreError);
    });
  });
}

test("STORE-7 (memory): a crash loses what was not flushed, and nothing that was", async () => {
  const due: (() => void)[] = [];
  const timer = { setTimer: (_ms: number, run: () => void) => (due.push(run), () => undefined) };
  const disk = new MemoryDisk({ timer, flushMs: 5 });
  const first = await opened({ open: async (version) => disk.open(version) });
  const flushed = first.write({ put: [["a", 1]], remove: [] });
  due.shift()?.();
  await flushed;
  let resolved = false;
  void first.write({ put: [["b", 2]], remove: ["a"] }).then(() => (resolved = true));
  assert.equal(first.get("b"), 2, "visible before the flush");
  disk.crash();
  for (const run of due) run();
  await Promise.resolve();
  assert.equal(resolved, false);
  assert.throws(() => first.get("a"), StoreError);
  const second = await opened({ open: async (version) => disk.open(version) });
  assert.deepEqual([...second.range("")], [["a", 1]]);
});

test("STORE-8 (lmdb): a folder that cannot be written and a file that is no store are refused in one sentence", async () => {
  const file = join(newFolder(), "file");
  writeFileSync(file, "");
  const under = await openLmdbStore({ path: join(file, "store"), version: "1" });
  assert.ok(under.kind === "refused" && under.refusal.kind === "not-writable");
  assert.match(under.refusal.message, /cannot be written/);

  const folder = newFolder();
  writeFileSync(join(folder, "store.lmdb"), "no store at all ".repeat(4096));
  const damaged = await openLmdbStore({ path: folder, version: "1" });
  assert.ok(damaged.kind === "refused" && damaged.refusal.kind === "damaged");

  if (process.getuid?.() === 0) return; // root may write anywhere
  const locked = newFolder();
  chmodSync(locked, 0o500);
  const refused = await openLmdbStore({ path: locked, version: "1" });
  assert.ok(refused.kind === "refused" && refused.refusal.kind === "not-writable");
});
