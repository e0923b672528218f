/**
 * A coordinator and an agent over a real server and in real time, whose clocks are set by hours while they work. The parts are the
 * real ones, each with a clock that this test can set: a clock of the machine's is nothing that a test may touch.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startCandidate } from "../../coordinator/leader/candidate.ts";
import { Journal } from "../../coordinator/journal/journal.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import { openClient } from "../../protocol/client.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { startAgentProcess } from "../sim/agent-process.ts";
import { clockedSweep, harmOf, type Seen } from "../sim/clock-harm.ts";
import { ProcessClock } from "../sim/process.ts";
import { inlineSampler } from "../support/inline-sampler.ts";
import { auditJournal } from "../support/journal-audit.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import { skipWithoutNats, TestNatsServer } from "../support/nats-server.ts";
import { keysOf } from "../support/order-key.ts";
import { until } from "../support/until.ts";

const mesh = "clocks";
const hourMs = 3_600_000;
const stepEveryMs = 1_500;
const steps = [-hourMs, 3 * hourMs, -24 * 365 * hourMs, 24 * 365 * hourMs, 2 * hourMs];

function storeOf(disk: MemoryDisk) {
  const opening = disk.open("1");
  assert.ok(opening.kind === "opened");
  return opening.store;
}

/** A leader, an agent with one slot, and the mesh's owner, each connected by itself. */
async function openMesh(server: TestNatsServer) {
  const buses: Bus[] = [];
  const connect = async (name: string) => {
    const bus = await connectBus({ servers: server.url, name, inboxPrefix: `_INBOX_${name}` });
    buses.push(bus);
    return bus;
  };
  const keys = keysOf(mesh);
  const newClock = () => new ProcessClock(systemClock, { skewMs: 0, pace: 1 });
  const [ofLeader, ofAgent] = [newClock(), newClock()];
  const halts: string[] = [];
  const log = () => {};
  const onHalt = (reason: string) => void halts.push(reason);
  const candidate = startCandidate({
    mesh,
    name: "one",
    bus: await connect("one"),
    keys,
    store: storeOf(new MemoryDisk()),
    journalCopy: storeOf(new MemoryDisk()),
    sampler: inlineSampler,
    clock: ofLeader,
    random: Math.random,
    settings: settingsFor(15_000),
    log,
    onHalt,
  });
  const running = new Set<number>();
  const agent = {
    mesh,
    trust: keys.trust,
    clock: ofAgent,
    bus: await connect("box"),
    store: storeOf(new MemoryDisk()),
    incarnation: "box-1",
    artifacts: new Map(),
    kept: new Set<string>(),
    made: new Set<string>(),
    holds: () => false,
    idleMs: () => hourMs,
    lies: () => false,
    onStep: () => {},
    log,
    onHalt,
  };
  startAgentProcess({ name: "box", slots: 1, rates: { alpha: 4 }, idleOnly: false }, agent, running);
  let key = 0;
  const client = openClient({
    mesh,
    role: "owner",
    who: "owner",
    bus: await connect("owner"),
    clock: systemClock,
    newKey: () => `key-of-the-owner-${++key}`,
    patienceMs: 60_000,
  });
  const close = async () => {
    await candidate.stop();
    for (const clock of [ofLeader, ofAgent]) clock.kill();
    for (const bus of buses) await bus.close();
  };
  const journal = async () => new Journal(await connect("reader"), mesh, systemClock, keys);
  return { client, clocks: [ofLeader, ofAgent], close, halts, journal, running };
}

test(
  "CLOCK-2: over a real server, clocks that are set by hours end no lease and silence nobody",
  { skip: skipWithoutNats },
  async () => {
    const server = await TestNatsServer.start();
    const { client, clocks, close, halts, journal, running } = await openMesh(server);
    try {
      assert.ok((await client.command("account-open", { requester: "owner", grant: 1_000_000_000 })).ok);
      const run = await client.command("sweep-run", { spec: clockedSweep(3, 4) });
      assert.ok(run.ok, run.ok ? "" : run.refusal.message);
      await until("a trial to run", () => running.size > 0 || null);
      for (const [index, step] of steps.entries()) {
        clocks[index % clocks.length]?.step(step);
        await sleep(systemClock, stepEveryMs);
      }
      await until("the sweep to end", async () => {
        const answer = await client.query("sweeps", {});
        return (answer.ok && answer.value.sweeps.every(({ state }) => state === "done")) || null;
      });
      const seen: Seen[] = [];
      const audit = await auditJournal(await journal(), (event, _, at) => seen.push({ event, at }));
      assert.deepEqual([...audit.violations, ...harmOf(seen), ...halts], []);
      assert.ok(seen.some(({ event }) => event.kind === "SweepFinished"));
    } finally {
      await close();
      await server.stop();
    }
  },
);
