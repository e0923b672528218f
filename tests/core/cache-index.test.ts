/** What an agent's cache lets go, whatever its machine's clock is set to meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CacheIndex } from "../../artifact/least-recently-used.ts";
import { MemoryDisk } from "../support/memory-store.ts";

const hourMs = 3_600_000;
const pinnedMs = 10 * 60_000;
const quotaBytes = 3;

function place() {
  const disk = new MemoryDisk();
  const time = { now: 1_767_225_600_000, monotonic: 5_000 };
  const clock = { now: () => time.now, monotonic: () => time.monotonic, setTimer: () => () => {} };
  const gone: string[] = [];
  const open = () => {
    const opening = disk.open("1");
    assert.ok(opening.kind === "opened");
    const remove = (digest: string) => Promise.resolve(void gone.push(digest));
    return new CacheIndex({ store: opening.store, clock, quotaBytes, remove });
  };
  const pass = (ms: number) => {
    time.now += ms;
    time.monotonic += ms;
  };
  return { gone, open, pass, time };
}

test("CACHE-2: what was used a moment ago stays where the clock is set hours forward", async () => {
  const { gone, open, pass, time } = place();
  const index = open();
  for (const digest of ["a", "b", "c"]) {
    await index.note(digest, 1);
    pass(1_000);
  }
  time.now += 3 * hourMs;
  await index.note("d", 1);
  assert.deepEqual(gone, []);
  pass(pinnedMs);
  await index.note("e", 1);
  assert.deepEqual(gone, ["a", "b"]);
});

test("CACHE-2: the least recently used goes first, however the clock is set between the uses, and after a restart", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -5 * hourMs, max: 5 * hourMs }), { minLength: 4, maxLength: 8 }),
      fc.boolean(),
      async (steps, restarts) => {
        const { gone, open, pass, time } = place();
        let index = open();
        for (const [number, step] of steps.entries()) {
          time.now += step;
          await index.note(`${number}`, 1);
          pass(pinnedMs + 1);
        }
        if (restarts) index = open();
        await index.note("last", 1);
        assert.deepEqual(
          gone,
          steps.slice(0, steps.length + 1 - quotaBytes).map((_, number) => `${number}`),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("GC-8: what was collected goes from a cache that has room, but not what was of use lately", async () => {
  const { gone, open, pass } = place();
  const index = open();
  await index.note("a", 1);
  await index.note("b", 1);
  await index.drop("a");
  assert.deepEqual(gone, []);
  pass(pinnedMs + 1);
  await index.note("b", 1);
  for (const digest of ["a", "b", "unknown", "a"]) await index.drop(digest);
  assert.deepEqual(gone, ["a"]);
  assert.ok(!index.has("a") && index.has("b"));
  // Its room is free: two more fit beside what stayed.
  pass(pinnedMs + 1);
  await index.note("c", 1);
  await index.note("d", 1);
  assert.deepEqual(gone, ["a"]);
  assert.ok(!open().has("a"));
});
