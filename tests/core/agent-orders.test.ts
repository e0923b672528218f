/** What an agent takes for an order: signed by a coordinator of its mesh, for itself, for just this, and not too late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hearOrders } from "../../agent/hear-orders.ts";
import type { AgentInput } from "../../agent/core/agent-input.ts";
import { orderGiver } from "../../coordinator/leader/give-order.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { orderLifeMs } from "../../protocol/order.ts";
import { OwedOrders } from "../../coordinator/leader/owed-orders.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { MemoryHub } from "../support/bus/memory-hub.ts";
import { MeteredAttempt } from "../support/metered-attempt.ts";
import { keysOf } from "../support/order-key.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const mesh = "m";
const keys = keysOf(mesh);
const subjects = subjectsOf(mesh);
const drain = subjects.order("one", "drain");
const body = { epoch: 1, expires: Number.MAX_SAFE_INTEGER, drain: true };

function listen() {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1 });
  const taken: AgentInput[] = [];
  const receipts: string[] = [];
  const quarantined: string[] = [];
  const wanted: string[] = [];
  const dropped: string[] = [];
  const replicas: string[] = [];
  const lines: string[] = [];
  hearOrders({
    mesh,
    name: "one",
    bus: hub.connect("one"),
    trust: keys.trust,
    isOver: (_, at) => clock.now() > at,
    take: (input) => taken.push(input),
    onQuarantined: (reason) => quarantined.push(reason),
    onReceipt: (ids) => receipts.push(...ids),
    onHead: () => undefined,
    onWanted: (digests) => wanted.push(...digests),
    onDropped: (digests) => dropped.push(...digests),
    onReplica: ({ release = [], store = [], take }) =>
      replicas.push([take?.digest ?? "", ...release, ...store].join(" ")),
    log: (line) => lines.push(line),
  });
  return { bus: hub.connect("lead"), clock, taken, receipts, quarantined, lines, wanted, dropped, replicas };
}

test("AGENT-7: what the leader gives is heard as it was given", async () => {
  const { bus, clock, lines, receipts, taken } = listen();
  const give = orderGiver(bus, mesh, keys.signer, clock);
  give({ agent: "one", name: "drain", body: { epoch: 3, drain: true } });
  give({ agent: "one", name: "receipt", body: { epoch: 3, ids: ["a"] } });
  bus.publish(subjects.epoch, keys.signer.sign(subjects.epoch, toBytes({ epoch: 4, leader: "lead", at: 1 })));
  await clock.advance(1_000);
  assert.deepEqual(
    taken.map((input) => [input.kind, "epoch" in input ? input.epoch : null]),
    [
      ["drain", 3],
      ["beacon", 4],
    ],
  );
  assert.deepEqual(receipts, ["a"]);
  assert.deepEqual(lines, []);
});

test("METER-4: an agent that is quarantined is told why, and goes on with what it has", async () => {
  const { bus, clock, quarantined, taken } = listen();
  const give = orderGiver(bus, mesh, keys.signer, clock);
  const one = new MeteredAttempt();
  const owed = new OwedOrders(2_000);
  const tell = () => owed.allDue(one.fold.state, one.fold.at).filter(({ name }) => name === "drain");
  assert.deepEqual(tell(), []);
  one.beat(one.from + 2_000, { usedMs: 1e6, atWork: true });
  for (const order of [...tell(), ...tell()]) give({ ...order, agent: "one" });
  await clock.advance(1_000);
  assert.deepEqual(quarantined, [one.accused]);
  assert.deepEqual(
    taken.map((input) => input.kind === "drain" && input.drain),
    [false],
  );
  one.fold.must("agent-cordon", { agent: "box", cordon: false });
  assert.deepEqual(tell(), []);
  one.beat(one.from + 4_000, { usedMs: 1e6, atWork: true });
  assert.equal(tell().length, 1, "again, where it says so again");
});

test("AGENT-7: an order by nobody, by another mesh, for another agent, another kind, altered or late is dropped", async () => {
  const signed = (context: string, data: unknown = body, by = keys) => by.signer.sign(context, toBytes(data));
  const whole = signed(drain);
  const cut = Buffer.from(whole);
  cut[cut.length - 3] = (cut[cut.length - 3] ?? 0) ^ 1;
  const table: readonly [what: string, bytes: Uint8Array, why: RegExp][] = [
    ["by nobody", toBytes(body), /without a coordinator's signature/],
    ["by another mesh's coordinator", signed(drain, body, keysOf("other")), /without/],
    ["for another agent", signed(subjects.order("two", "drain")), /without/],
    ["another kind of order", signed(subjects.order("one", "cancel")), /without/],
    ["a signed beacon", signed(subjects.epoch), /without/],
    ["altered", cut, /without/],
    ["nothing", new Uint8Array(), /without/],
    ["spaces", Buffer.from("   "), /without/],
    ["unreadable", signed(drain, { epoch: 1 }), /unreadable drain order of lead/],
    ["late", signed(drain, { ...body, expires: -1 }), /came too late/],
  ];
  for (const [what, bytes, why] of table) {
    const { bus, clock, lines, taken } = listen();
    bus.publish(drain, bytes);
    await clock.advance(1_000);
    assert.deepEqual(taken, [], what);
    assert.equal(lines.length, 1, what);
    assert.match(lines[0] ?? "", why, what);
  }
  const { bus, clock, taken } = listen();
  bus.publish(subjects.epoch, toBytes({ epoch: 9, leader: "nobody", at: 1 }));
  await clock.advance(1_000);
  assert.deepEqual(taken, [], "a beacon by nobody");
});

test("AGENT-7: an order counts for its while and no longer", async () => {
  const { bus, clock, lines, taken } = listen();
  const late = { now: () => clock.now() - orderLifeMs - 2_000 };
  orderGiver(bus, mesh, keys.signer, { ...late, monotonic: () => 0, setTimer: () => () => undefined })({
    agent: "one",
    name: "drain",
    body: { epoch: 1, drain: true },
  });
  await clock.advance(1_000);
  assert.deepEqual(taken, []);
  assert.match(lines.join(), /came too late/);
});

test("BLOB-6: an agent hears which artifacts the mesh's store has lost, from coordinators only", async () => {
  const { bus, clock, wanted } = listen();
  const beacon = (digest: string) => toBytes({ epoch: 4, leader: "lead", at: 1, wanted: [digest] });
  const [asked, forged] = ["a".repeat(64), "b".repeat(64)];
  bus.publish(subjects.epoch, keys.signer.sign(subjects.epoch, beacon(asked)));
  bus.publish(subjects.epoch, beacon(forged));
  await clock.advance(1_000);
  assert.deepEqual(wanted, [asked]);
});

test("GC-8: an agent hears what was collected, from coordinators only", async () => {
  const { bus, clock, dropped, wanted } = listen();
  const beacon = (digest: string) => toBytes({ epoch: 4, leader: "lead", at: 1, dropped: [digest] });
  const [collected, forged] = ["a".repeat(64), "b".repeat(64)];
  bus.publish(subjects.epoch, keys.signer.sign(subjects.epoch, beacon(collected)));
  bus.publish(subjects.epoch, beacon(forged));
  await clock.advance(1_000);
  assert.deepEqual([dropped, wanted], [[collected], []]);
});

test("AGENT-7: what is said about replicas is heard from coordinators only, and within bounds", async () => {
  const { bus, clock, lines, replicas } = listen();
  const give = orderGiver(bus, mesh, keys.signer, clock);
  const [one, two, three] = ["a", "b", "c"].map((letter) => letter.repeat(64));
  give({ agent: "one", name: "replica", body: { epoch: 1, take: { digest: one, bytes: 5 } } });
  give({ agent: "one", name: "replica", body: { epoch: 1, release: [two], store: [three] } });
  await clock.advance(1_000);
  assert.deepEqual(replicas, [one, ` ${two} ${three}`]);
  assert.deepEqual(lines, []);
  const many = Array.from({ length: 257 }, () => one);
  const bad = [
    { take: { digest: one, bytes: 0 } },
    { take: { digest: "../x", bytes: 5 } },
    { release: many },
    { store: many },
  ];
  for (const wrong of bad) give({ agent: "one", name: "replica", body: { epoch: 1, ...wrong } });
  bus.publish(subjects.order("one", "replica"), toBytes({ epoch: 1, expires: 9e15, release: [one] }));
  await clock.advance(1_000);
  assert.equal(replicas.length, 2);
  assert.equal(lines.length, bad.length + 1);
});
