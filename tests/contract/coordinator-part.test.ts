/** What one input may lead to for thousands of trials, attempts or accounts at once: parts that the journal's server takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { batchBytesMax, decisionBytesMax } from "../../coordinator/leader/batch-tally.ts";
import { OwedOrders } from "../../coordinator/leader/owed-orders.ts";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { Batches } from "../support/batches.ts";
import { sweepSpec } from "../support/fold.ts";

const slotsMax = 1_024;
const agents = 4;
/** A batch may end with the step that fills it. */
const stepBytesMax = 8 * bytesPerKiB;
/** Each in one batch, 4,096 attempts would take more than a message may have. */
const running = slotsMax * agents;
const search = { method: "random", trials: running + 100, seed: 1 } as const;

function busyMesh(given: Parameters<typeof sweepSpec>[0] = {}): Batches {
  const mesh = new Batches(slotsMax);
  for (let agent = 2; agent <= agents; agent++) mesh.join(`box-${agent}`, slotsMax);
  mesh.command("sweep-run", { spec: sweepSpec({ search, ...given }) });
  assert.equal(mesh.state.active.size, running);
  mesh.sizes.length = 0;
  mesh.kinds.clear();
  return mesh;
}

function assertParted(mesh: Batches): void {
  const largest = Math.max(...mesh.sizes);
  assert.ok(largest < batchBytesMax + stepBytesMax, `the largest batch has ${largest} bytes`);
  assert.ok(mesh.sizes.filter((size) => size > 0).length > 1, "it was not parted");
  assert.deepEqual(brokenInvariants(mesh.state), []);
}

test("SIZE-2: thousands of running trials of one sweep are asked to end in parts, each once", () => {
  const mesh = busyMesh();
  mesh.command("sweep-stop", { sweep: "s1", why: "" });
  assertParted(mesh);
  assert.equal(mesh.kinds.get("CancelRequested"), running);
  assert.equal(mesh.state.going.size, 0);
});

test("SIZE-2: a target that is reached while thousands run asks them to end in parts", () => {
  const mesh = busyMesh({ stopping: { policy: "none", max: 1, target: 0.5 } });
  let first = true;
  mesh.work(() => {
    const isOver = !first;
    first = false;
    return isOver;
  });
  assertParted(mesh);
  assert.equal([...mesh.state.sweeps.values()][0]?.state, "done");
  assert.equal(mesh.kinds.get("CancelRequested"), running - 1);
});

test("SIZE-2: leases that ran out by the thousand are ended in parts", () => {
  const mesh = busyMesh();
  for (let agent = 1; agent <= agents; agent++)
    mesh.do({ kind: "silent", agent: agent === 1 ? "box" : `box-${agent}` });
  mesh.at += 10_000_000;
  mesh.do({ kind: "expire" });
  assertParted(mesh);
  assert.equal(mesh.kinds.get("AttemptEnded"), running);
  assert.equal(mesh.state.active.size, 0);
});

test("SIZE-2: an agent that comes back restarted loses what it held in parts, and is welcomed then", () => {
  const mesh = busyMesh({ reuse: false });
  mesh.command("agent-drain", { agent: "box", drain: true });
  mesh.join("box", slotsMax, "box-2nd");
  assertParted(mesh);
  assert.equal(mesh.kinds.get("AttemptEnded"), slotsMax);
  assert.equal(mesh.kinds.get("AgentJoined"), 1);
  assert.ok(Math.max(...mesh.sizes) < decisionBytesMax);
});

test("SIZE-2: refills of thousands of accounts that fall due together are paid out in parts, each once", () => {
  const mesh = new Batches(1);
  const accounts = 5_000;
  for (let number = 1; number <= accounts; number++) {
    mesh.command("account-open", { requester: `team-${number}` });
    const refill = { amount: 1_000, everyMs: 60_000, upTo: 100_000 };
    mesh.command("account-set", { requester: `team-${number}`, refill });
  }
  mesh.sizes.length = 0;
  mesh.at += 90_000;
  mesh.do({ kind: "expire" });
  assertParted(mesh);
  assert.equal(mesh.kinds.get("TokensRefilled"), accounts);
});

test("SIZE-2: a heartbeat that extends a thousand leases stays within a batch and its last step", () => {
  const mesh = busyMesh();
  const fences = [...(mesh.state.held.get("box") ?? [])];
  for (const fence of fences) mesh.do({ kind: "report", agent: "box", report: { kind: "accepted", fence } });
  mesh.at += mesh.settings.leaseMs - 1;
  mesh.sizes.length = 0;
  const beat = { incarnation: "box-1", epoch: 1, closed: null, cpuLoad: null, memFreeGiB: null, owner: null };
  const held = fences.map((fence) => ({ fence, resource: 0, usedMs: 500, suspended: false }));
  mesh.do({ kind: "heartbeat", agent: "box", heartbeat: { ...beat, running: held } });
  assert.equal(mesh.kinds.get("LeaseExtended"), slotsMax);
  assert.ok(Math.max(...mesh.sizes) < batchBytesMax + stepBytesMax);
});

test("SIZE-5: offers to an agent with a thousand slots are as many orders as it takes, none larger than the server accepts", () => {
  const parts = Array.from({ length: 500 }, (_, at) => at.toString(16).padStart(64, "0"));
  const mesh = busyMesh({ parts });
  const orders = new OwedOrders(1_000).allDue(mesh.state, mesh.at);
  const sizes = orders.map(({ body }) => Buffer.byteLength(JSON.stringify(body)));
  assert.ok(Math.max(...sizes) < 512 * bytesPerKiB, `the largest order has ${Math.max(...sizes)} bytes`);
  const offered = orders.map(({ body }) => (Array.isArray(body["leases"]) ? body["leases"].length : 0));
  assert.equal(
    offered.reduce((sum, count) => sum + count, 0),
    running,
  );
});
