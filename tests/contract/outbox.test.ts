// The agent's outbox over a store that can crash and a bus that loses answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../../agent/outbox.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { readReports } from "../../protocol/report-message.ts";
import { MemoryHub } from "../support/bus/memory-hub.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { reportBatchSchema, type Report } from "../../protocol/report.ts";
import { streamSpecsOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const flushMs = 50;
const refused = (fence: number): Report => ({ kind: "refused", fence, reason: "busy" });
const accepted = (fence: number): Report => ({ kind: "accepted", fence });

async function newWorld() {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1 });
  const reader = hub.connect("reader");
  for (const spec of streamSpecsOf("m", 1, "secret")) await clock.settle(reader.ensureStream(spec));
  const disk = new MemoryDisk({ timer: clock, flushMs });
  const lines: string[] = [];
  const leader = { takesBytes: true, storeIsAway: false };
  const unloaded = new Map<string, Uint8Array>();
  const open = (incarnation: string, bus: Bus = hub.connect(incarnation)) => {
    const opening = disk.open("1");
    assert.ok(opening.kind === "opened");
    const { store } = opening;
    return new Outbox({
      mesh: "m",
      agent: "a",
      incarnation,
      bus,
      store,
      clock,
      log: (line) => lines.push(line),
      onError: (error) => assert.fail(String(error)),
      mayCarry: () => leader.takesBytes,
      unload: (digest, content) => {
        if (leader.storeIsAway) return Promise.reject(new BusError("unavailable", "No server."));
        unloaded.set(digest, content);
        return Promise.resolve();
      },
    });
  };
  /** Every message of the inbox, as the reports in it. */
  const inbox = async () => {
    const { inbox: stream } = streamsOf("m");
    const entries = await clock.settle(reader.readStream(stream, 1, 100));
    return entries.map(({ data }) => reportBatchSchema.parse(fromBytes(data)).reports);
  };
  /** The same with the bytes that came with them. */
  const framed = async () => {
    const entries = await clock.settle(reader.readStream(streamsOf("m").inbox, 1, 100));
    return entries.map(({ data }) => {
      const message = readReports(data);
      assert.ok(message !== null);
      return { reports: reportBatchSchema.parse(message.batch).reports, contents: message.contents };
    });
  };
  return { clock, hub, disk, leader, lines, open, inbox, framed, unloaded };
}

test("OUTBOX-1: nothing is sent before it is flushed, and what was not flushed was never sent", async () => {
  const { clock, disk, open, inbox } = await newWorld();
  const outbox = open("one");
  outbox.add(refused(1));
  await clock.advance(flushMs - 1);
  assert.deepEqual(await inbox(), []);
  assert.equal(outbox.size, 1);
  disk.crash();
  await clock.advance(1_000);
  assert.deepEqual(await inbox(), []);
});

test("OUTBOX-2: what has no receipt is sent again by the next run, and what has one is forgotten", async () => {
  const { clock, disk, open, inbox } = await newWorld();
  const outbox = open("one");
  outbox.add(refused(1));
  await clock.advance(flushMs * 2);
  outbox.add(refused(2));
  await clock.advance(flushMs * 2);
  const [first, second] = await inbox();
  assert.ok(first !== undefined && second !== undefined);
  outbox.receipt(first.map(({ id }) => id));
  assert.equal(outbox.size, 1);
  await clock.advance(1_000);
  outbox.close();
  disk.crash();
  const next = open("two");
  assert.equal(next.size, 1);
  await clock.advance(flushMs * 2);
  assert.deepEqual((await inbox()).slice(2), [second]);
  next.receipt(second.map(({ id }) => id));
  await clock.settle(next.emptied(1));
  assert.equal(next.size, 0);
  await clock.advance(1_000);
  next.close();
  assert.equal(open("three").size, 0);
});

test("OUTBOX-2: reports of one turn are one message, and a message is forgotten once all of it is receipted", async () => {
  const { clock, open, inbox } = await newWorld();
  const outbox = open("one");
  for (const fence of [1, 2, 3]) outbox.add(accepted(fence));
  outbox.add(refused(4));
  await clock.advance(flushMs * 2);
  const [message, ...others] = await inbox();
  assert.ok(message !== undefined);
  assert.deepEqual(others, []);
  assert.deepEqual(
    message.map(({ report }) => report.fence),
    [1, 2, 3, 4],
  );
  outbox.receipt(message.slice(1).map(({ id }) => id));
  await clock.advance(1_000);
  assert.equal(open("two").size, 4);
});

test("OUTBOX-3: an acceptance that its own outcome overtakes is not said; one that stands alone waits for company, and goes", async () => {
  const { clock, open, inbox } = await newWorld();
  const outbox = open("one");
  const failed: Report = { kind: "failed", fence: 1, reason: "lr", retryable: false, usedMs: 1 };
  for (const report of [accepted(1), accepted(2), failed]) outbox.add(report);
  await clock.advance(1_000);
  outbox.add(accepted(3));
  await clock.advance(1_000);
  const said = (await inbox()).map((message) =>
    message.map(({ report }) => `${report.kind} ${report.fence}`),
  );
  assert.deepEqual(said, [["accepted 2", "failed 1"], ["accepted 3"]]);
  outbox.receipt((await inbox()).flatMap((message) => message.map(({ id }) => id)));
  assert.equal(outbox.size, 0);
});

test("OUTBOX-2: through a server's absence nothing is lost, whatever was on its way", async () => {
  const { clock, hub, open, inbox } = await newWorld();
  const outbox = open("one");
  hub.faults = { ...hub.faults, delayMs: [30, 30] };
  const count = 12;
  for (let fence = 1; fence <= count; fence++) {
    outbox.add(refused(fence));
    await clock.advance(flushMs / 2);
    if (fence === count / 2) hub.stop();
    if (fence === count - 2) hub.start();
  }
  await clock.advance(20_000);
  const sent = new Set((await inbox()).flat().map(({ report }) => report.fence));
  assert.deepEqual(
    [...sent].toSorted((a, b) => a - b),
    Array.from({ length: count }, (_, n) => n + 1),
  );
  outbox.close();
});

test("OUTBOX-4: reports of another version that cannot be read stay in the store, and are named", async () => {
  const { clock, disk, lines, open, inbox } = await newWorld();
  const opening = disk.open("1");
  assert.ok(opening.kind === "opened");
  const strange = toBytes({ incarnation: "zero", reports: [{ id: "x", report: { kind: "archived" } }] });
  const key = "outbox/a.zero.000000001";
  const written = opening.store.write({ put: [[key, strange]], remove: [] });
  await clock.advance(flushMs);
  await written;
  const outbox = open("one");
  outbox.add(refused(1));
  await clock.advance(1_000);
  assert.equal((await inbox()).length, 1);
  assert.match(lines.join(), /^outbox\/a\.zero\.000000001 .* cannot read/);
  assert.notEqual(opening.store.get(key), undefined);
  outbox.close();
});

test("QUOTA-3: where as much of one agent waits as may, its next is sent once some was taken, and another's at once", async () => {
  const { clock, hub, open, inbox } = await newWorld();
  const bus = hub.connect("taker");
  const { inbox: stream } = streamsOf("m");
  const fill = async (agent: string) => {
    for (let n = 0; ; n++) {
      const batch = { incarnation: "x", reports: [{ id: `x${n}`, report: refused(n + 1) }] };
      const appended = await clock.settle(bus.append(stream, subjectsOf("m").inbox(agent), toBytes(batch)));
      if (appended.kind !== "appended") return n;
    }
  };
  const places = await fill("a");
  assert.ok(places >= 10, `${places} may wait`);
  const outbox = open("one");
  outbox.add(refused(7_000));
  await clock.advance(5_000);
  const fences = async () => (await inbox()).flat().map(({ report }) => report.fence);
  assert.equal((await fences()).includes(7_000), false);
  assert.equal(
    (await clock.settle(bus.append(stream, subjectsOf("m").inbox("b"), toBytes({})))).kind,
    "appended",
  );
  await clock.settle(bus.removeMessages(stream, subjectsOf("m").inbox("b")));
  const taken: number[] = [];
  await clock.settle(
    bus.consume(
      stream,
      "taker",
      async ([first]) => {
        if (first === undefined) return;
        for (const { report } of reportBatchSchema.parse(fromBytes(first.data)).reports)
          taken.push(report.fence);
        first.ack();
      },
      { maxBatch: 1, ackWaitMs: 60_000 },
    ),
  );
  await clock.advance(2_000);
  assert.equal(taken.length, places + 1);
  assert.equal(taken.at(-1), 7_000);
});

const digestOne = "1".repeat(64);
const digestTwo = "2".repeat(64);
const kept = (fence: number, digest: string): Report => ({
  ...{ kind: "checkpoint", fence, resource: 1, digest, bytes: 3, metrics: {}, usedMs: 1 },
});
const three = (byte: number) => Uint8Array.from([byte, byte, byte]);
const plain = (contents: ReadonlyMap<string, Uint8Array>) =>
  Array.from(contents, ([digest, bytes]) => [digest, [...bytes]]);

test("OUTBOX-3: checkpoints' bytes are flushed and sent with the reports that name them, each once, also by the next run", async () => {
  const { clock, disk, framed, open } = await newWorld();
  const outbox = open("one");
  outbox.add(kept(1, digestOne), new Map([[digestOne, three(1)]]));
  outbox.add(kept(2, digestOne), new Map([[digestOne, three(1)]]));
  outbox.add(kept(3, digestTwo), new Map([[digestTwo, three(2)]]));
  outbox.add(refused(4));
  await clock.advance(flushMs - 1);
  assert.deepEqual(await framed(), []);
  await clock.advance(flushMs);
  const [message] = await framed();
  assert.ok(message !== undefined);
  assert.deepEqual(
    message.reports.map(({ report }) => report.fence),
    [1, 2, 3, 4],
  );
  const both = [
    [digestOne, [1, 1, 1]],
    [digestTwo, [2, 2, 2]],
  ];
  assert.deepEqual(plain(message.contents), both);
  outbox.close();
  disk.crash();
  open("two");
  await clock.advance(flushMs * 2);
  const [, again] = await framed();
  assert.deepEqual([again?.reports, plain(again?.contents ?? new Map())], [message.reports, both]);
});

test("OUTBOX-3: bytes count for how much goes into one message", async () => {
  const { clock, framed, open } = await newWorld();
  const outbox = open("one");
  const size = 30_000;
  for (let number = 1; number <= 40; number++) {
    const digest = String(number).padStart(64, "0");
    outbox.add(kept(number, digest), new Map([[digest, new Uint8Array(size).fill(number)]]));
  }
  await clock.advance(flushMs * 10);
  const messages = await framed();
  assert.ok(messages.length > 1);
  assert.equal(messages.flatMap(({ reports }) => reports).length, 40);
  for (const { contents, reports } of messages) {
    assert.equal(contents.size, reports.length);
    assert.ok(contents.size * size < 700_000);
  }
});

test("CARRY-3: a leader that takes no bytes gets reports without them, once the mesh's store has the bytes", async () => {
  const { clock, framed, leader, open, unloaded } = await newWorld();
  leader.takesBytes = false;
  leader.storeIsAway = true;
  const outbox = open("one");
  outbox.add(kept(1, digestOne), new Map([[digestOne, three(1)]]));
  await clock.advance(2_000);
  assert.deepEqual(await framed(), [], "not before");
  leader.storeIsAway = false;
  await clock.advance(2_000);
  const [message] = await framed();
  assert.deepEqual([message?.reports[0]?.report.fence, message?.contents.size], [1, 0]);
  assert.deepEqual(plain(unloaded), [[digestOne, [1, 1, 1]]]);
  assert.equal(outbox.size, 1);
});
