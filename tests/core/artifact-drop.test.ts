/** GC-8: what was collected goes from a machine's artifacts that have room, but not what is read, pinned, or was of use lately. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openDiskCache } from "../../artifact/cache/disk-cache.ts";
import { openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import { MemoryHub } from "../support/bus/memory-hub.ts";
import { SparedArtifact } from "../../mesh/part/spared-artifact.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const lookMs = 61_000;
const longAgoMs = 11 * 60_000;

test("GC-8: what was collected goes, but not what somebody reads, wants to stay, or used a moment ago", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-drop-"));
  const clock = new VirtualClock();
  const spared: string[] = [];
  const opened = openArtifactStore({ folder: join(folder, "artifacts"), clock, quotaBytes: null });
  assert.ok(opened.ok);
  const store = opened.value;
  try {
    const bus = new MemoryHub({ clock, seed: 1 }).connect("den");
    const cache = await openDiskCache({
      dir: join(folder, "agent"),
      store,
      bus,
      mesh: "m",
      clock,
      say: () => undefined,
      onSpared: (digest) => spared.push(digest),
    });
    const add = (text: string) => store.addBytes(new TextEncoder().encode(text));
    const [old, pinned, read] = [await add("old"), await add("pinned"), await add("read")];
    old.held.release();
    pinned.held.release();
    store.pins.add(pinned.digest);
    await clock.advance(longAgoMs);
    const late = await add("late");
    late.held.release();
    const all = [old, pinned, read, late].map(({ digest }) => digest);
    const drop = async () => {
      spared.length = 0;
      for (const digest of [...all, "0".repeat(64), old.digest]) cache.drop?.(digest);
      await sleep(50);
      return all.filter((digest) => store.entry(digest) !== null);
    };
    assert.deepEqual(await drop(), [pinned.digest, read.digest, late.digest]);
    assert.deepEqual(spared.toSorted(), [read.digest, late.digest].toSorted());
    read.held.release();
    await clock.advance(longAgoMs);
    assert.deepEqual(await drop(), [pinned.digest]);
    assert.deepEqual(spared, []);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

test("GC-8: what could not go comes up again once that may be over, once, and not after the end", async () => {
  const clock = new VirtualClock();
  const due: string[] = [];
  const spared = new SparedArtifact(clock, longAgoMs, (digest) => due.push(digest));
  spared.add("a");
  await clock.advance(longAgoMs / 2);
  spared.add("a");
  spared.add("b");
  await clock.advance(longAgoMs / 2 + lookMs);
  assert.deepEqual(due, ["a"]);
  await clock.advance(longAgoMs);
  assert.deepEqual(due, ["a", "b"]);
  spared.add("a");
  await clock.advance(longAgoMs + lookMs);
  assert.deepEqual(due, ["a", "b", "a"]);
  spared.add("c");
  spared.close();
  await clock.advance(2 * longAgoMs);
  assert.deepEqual(due, ["a", "b", "a"]);
});
