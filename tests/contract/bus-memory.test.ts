// What only the in-memory bus promises: faults on demand, and the same run for the same seed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BusError, credentialsRevoked } from "../../protocol/bus/bus.ts";
import { MemoryHub, type MemoryFaults } from "../support/bus/memory-hub.ts";
import { bytesOf, textOf } from "../support/bus-mesh.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const busError = (kind: BusError["kind"]) => (error: unknown) =>
  error instanceof BusError && error.kind === kind;

/** One busy run under the seed: what was received, in order, with its time. */
async function run(seed: number, faults: Partial<MemoryFaults>): Promise<string[]> {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed, faults });
  const a = hub.connect("a");
  const b = hub.connect("b");
  const log: string[] = [];
  b.subscribe("x", (m) => {
    log.push(`${clock.monotonic()} ${textOf(m.data)}`);
    m.respond(m.data);
  });
  await clock.advance(100);
  for (let n = 0; n < 40; n++) {
    a.publish("x", bytesOf(`p${n}`));
    void a.request("x", bytesOf(`r${n}`), 500).then(
      (answer) => log.push(`${clock.monotonic()} answer ${textOf(answer)}`),
      (error: unknown) => log.push(`${clock.monotonic()} ${String(error)}`),
    );
    if (n === 20) hub.disconnect("b");
    await clock.advance(20);
  }
  assert.ok(await clock.runUntilIdle());
  return log;
}

const rough: Partial<MemoryFaults> = { delayMs: [1, 60], loss: 0.2, duplication: 0.2, reorder: true };

test("MEMORY-1: the same seed gives the same run to the millisecond, another seed another", async () => {
  const first = await run(7, rough);
  assert.deepEqual(await run(7, rough), first);
  assert.notDeepEqual(await run(8, rough), first);
});

test("MEMORY-2: loss loses, duplication repeats, and without reorder one sender's messages keep their order", async () => {
  const received = async (faults: Partial<MemoryFaults>): Promise<number[]> => {
    const clock = new VirtualClock();
    const hub = new MemoryHub({ clock, seed: 3, faults: { delayMs: [1, 100], ...faults } });
    const [a, b] = [hub.connect("a"), hub.connect("b")];
    const got: number[] = [];
    b.subscribe("x", (m) => got.push(Number(textOf(m.data))));
    await clock.advance(200);
    for (let n = 0; n < 100; n++) a.publish("x", bytesOf(String(n)));
    await clock.advance(500);
    return got;
  };
  const all = Array.from({ length: 100 }, (_, n) => n);
  assert.deepEqual(await received({}), all);
  const lossy = await received({ loss: 0.3 });
  assert.ok(lossy.length > 40 && lossy.length < 90);
  const doubled = await received({ duplication: 0.3 });
  assert.ok(doubled.length > 110 && doubled.length < 160);
  const shuffled = await received({ reorder: true });
  assert.notDeepEqual(shuffled, all);
  assert.deepEqual(
    shuffled.toSorted((x, y) => x - y),
    all,
  );
});

test("MEMORY-3: a lost ack leaves the append stored and its writer in doubt; a lost append stores nothing", async () => {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1 });
  const a = hub.connect("a");
  await clock.settle(a.ensureStream({ name: "J", subjects: ["j"], retention: "limits" }));
  hub.faults = { ...hub.faults, lostAck: 1 };
  await assert.rejects(clock.settle(a.append("J", "j", bytesOf("1"))), busError("unavailable"));
  assert.equal((await clock.settle(a.readStream("J", 1, 10))).length, 1);
  hub.faults = { ...hub.faults, lostAck: 0, lostAppend: 1 };
  await assert.rejects(clock.settle(a.append("J", "j", bytesOf("2"))), busError("unavailable"));
  assert.equal((await clock.settle(a.readStream("J", 1, 10))).length, 1);
  hub.loseTail("J", 1);
  assert.deepEqual(await clock.settle(a.streamState("J")), { firstSequence: 1, lastSequence: 0 });
});

test("MEMORY-4: a partition cuts off one client until it heals, a revocation ends it", async () => {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1 });
  const [a, b] = [hub.connect("a"), hub.connect("b")];
  b.subscribe("x", (m) => m.respond(bytesOf("yes")));
  await clock.advance(1);
  hub.partition("b");
  await clock.advance(60_000);
  assert.deepEqual([a.status(), b.status()], ["connected", "disconnected"]);
  await assert.rejects(clock.settle(a.request("x", bytesOf(""), 100)), busError("no-responders"));
  hub.heal("b");
  await clock.advance(1_000);
  assert.equal(textOf(await clock.settle(a.request("x", bytesOf(""), 100))), "yes");
  hub.revoke("b");
  assert.deepEqual([b.status(), b.closedReason()], ["closed", credentialsRevoked]);
  await assert.rejects(b.request("x", bytesOf(""), 100), busError("denied"));
});
