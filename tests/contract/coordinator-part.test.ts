/** What one input may lead to for thousands of trials, attempts or accounts at once: parts that the journal's server takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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

type Op =
  | {
      readonly kind: "stop" | "expire" | "restart" | "silent" | "heartbeat" | "drain";
      readonly which: number;
    }
  | { readonly kind: "run"; readonly which: number; readonly wide: boolean }
  | {
      readonly kind: "report";
      readonly which: number;
      readonly how: "failed" | "refused" | "finished";
      readonly many: number;
    };

const which = fc.nat({ max: 1_000 });
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("stop", "expire", "restart", "silent", "heartbeat", "drain"),
    which,
  }),
  fc.record({ kind: fc.constant("run"), which, wide: fc.boolean() }),
  fc.record({
    kind: fc.constant("report"),
    which,
    how: fc.constantFrom("failed", "refused", "finished"),
    many: fc.integer({ min: 1, max: 60 }),
  }),
);

/** As large as what comes in may be, or nearly. */
const longReason = "ä".repeat(2_000);
const wideMetrics = Object.fromEntries(
  Array.from({ length: 250 }, (_, at) => [`${at}-${"m".repeat(190)}`, Math.PI * at]),
);
const wideValues = Array.from({ length: 5 }, (_, at) => `${at}-${"ö".repeat(9_000)}`);

/** A mesh of some thousand slots to which anything happens. */
class AnyMesh {
  readonly mesh = new Batches(700);
  #runs = 1;

  constructor() {
    this.mesh.join("box-2", 300);
  }

  do(given: Op): void {
    const { mesh } = this;
    const sweeps = [...mesh.state.sweeps.values()].filter(({ state }) => state === "running");
    const agents = [...mesh.state.agents.keys()];
    const agent = agents[given.which % agents.length] ?? "box";
    switch (given.kind) {
      case "run":
        return this.#run(given.wide);
      case "stop": {
        const sweep = sweeps[given.which % Math.max(1, sweeps.length)]?.sweep;
        if (sweep !== undefined) mesh.command("sweep-stop", { sweep, why: "x".repeat(500) });
        return;
      }
      case "expire":
        mesh.at += given.which % 2 === 0 ? 1_000 : 2_000_000;
        return mesh.do({ kind: "expire" });
      case "restart":
        return mesh.join(agent, 700, `${agent}-${this.#runs++}-again`);
      case "silent":
        return mesh.do({ kind: "silent", agent });
      case "drain":
        return mesh.command("agent-drain", { agent, drain: given.which % 2 === 0 });
      case "heartbeat":
        return this.#beat(agent);
      case "report":
        return this.#report(agent, given.how, given.many);
    }
  }

  #run(wide: boolean): void {
    const space = wide
      ? { text: { distribution: "choice" as const, values: wideValues } }
      : { lr: { distribution: "uniform" as const, min: 0, max: 1 } };
    const stopping = { policy: "asha", min: 1, max: 9, eta: 3 } as const;
    const spec = sweepSpec({
      name: `sweep-${this.#runs}`,
      models: [{ model: "alpha", space }],
      stopping,
      search: { method: "random", trials: 1_500, seed: this.#runs++ },
      reuse: wide,
    });
    this.mesh.command("sweep-run", { spec });
  }

  #beat(agent: string): void {
    const { held, meta, agents } = this.mesh.state;
    this.mesh.at += this.mesh.settings.leaseMs / 2 + 1;
    const running = [...(held.get(agent) ?? [])].map((fence) => ({
      fence,
      resource: 0,
      usedMs: 1,
      suspended: false,
    }));
    const incarnation = agents.get(agent)?.incarnation ?? "";
    const beat = {
      incarnation,
      epoch: meta.epoch,
      closed: null,
      cpuLoad: null,
      memFreeGiB: null,
      owner: null,
    };
    this.mesh.do({ kind: "heartbeat", agent, heartbeat: { ...beat, running } });
  }

  #report(agent: string, how: "failed" | "refused" | "finished", many: number): void {
    const { held, trials, active } = this.mesh.state;
    for (const fence of [...(held.get(agent) ?? [])].slice(0, many)) {
      const resource = trials.get(active.get(fence) ?? "")?.target ?? 1;
      const digest = fence.toString(16).padStart(64, "0");
      const metrics = { ...wideMetrics, accuracy: fence % 17 };
      const report = {
        failed: { kind: "failed", fence, reason: longReason, retryable: fence % 2 === 0, usedMs: 1 },
        refused: { kind: "refused", fence, reason: longReason },
        finished: { kind: "finished", fence, resource, digest, bytes: 1, metrics, usedMs: 1 },
      } as const;
      this.mesh.do({ kind: "report", agent, report: report[how] });
    }
  }
}

test("SIZE-1: whatever happens to a mesh of thousands, one input or step leads to no more than it may, and no batch to more than a message", () => {
  fc.assert(
    fc.property(fc.array(op, { minLength: 5, maxLength: 25 }), (ops) => {
      const any = new AnyMesh();
      any.do({ kind: "run", which: 0, wide: true });
      any.do({ kind: "run", which: 0, wide: false });
      for (const one of ops) any.do(one);
      const largest = Math.max(...any.mesh.sizes);
      // The step that fills a batch is far from what it may lead to: a wide trial has one value of 18 KB.
      assert.ok(largest < batchBytesMax + decisionBytesMax / 4, `the largest batch has ${largest} bytes`);
      assert.deepEqual(brokenInvariants(any.mesh.state), []);
    }),
    { numRuns: 12 },
  );
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
