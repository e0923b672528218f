/**
 * This version and the one before it in one mesh, as while somebody upgrades: coordinators first, agents whenever it suits. Built
 * from the project's history; without it, `tests/contract/old-agent.test.ts` still plays what an old agent once said.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Event } from "../../coordinator/format/event.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { previousVersion } from "../support/previous-version.ts";
import { until } from "../support/until.ts";

const previous = skipWithoutNats === false ? previousVersion() : null;
const skip = skipWithoutNats === false ? previous?.kind === "missing" && previous.why : skipWithoutNats;
const main = previous?.kind === "built" ? previous.main : "";
const timeout = 110_000;

interface SweepOptions {
  readonly name: string;
  readonly trials: number;
  readonly epochs: number;
  readonly milliseconds: number;
  readonly seed: number;
}

/** Of what both versions know: a parameter of this one's models may be new to the agent of the other. */
async function submit(mesh: LiveMesh, options: SweepOptions): Promise<string> {
  const { epochs, milliseconds, name, seed, trials } = options;
  const text = `name: ${name}
task: noop
search: {method: random, trials: ${trials}, seed: ${seed}}
stopping: {policy: none, max: ${epochs}}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: ${milliseconds}}
`;
  const file = mesh.cli.write(`${name}.yaml`, text);
  const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
  return out.trim();
}

describe("new coordinator, agents and a standby of the version before", { skip, timeout }, () => {
  const mesh = new LiveMesh();
  before(async () => {
    await mesh.up("--port", "0", "--no-agent");
    const joining = await mesh.invite("agent", "old");
    mesh.startOf(main, "old", ...joining, "--slots", "2");
    await mesh.agentThat("old", ({ state }) => state === "present");
  });
  after(() => mesh.close());

  test("VERSION-1: an old agent trains for a new coordinator, and its trials cost and end as they should", async () => {
    const sweep = await submit(mesh, { name: "both", trials: 6, epochs: 4, milliseconds: 50, seed: 1 });
    const { summary, trials } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    assert.deepEqual(
      trials.map(({ attempts, resource, state }) => [state, resource, attempts.map(({ ending }) => ending)]),
      Array(6).fill(["completed", 4, ["finished"]]),
    );
    assert.ok(summary.spent > 0);
  });

  test("VERSION-1: it obeys a new coordinator's orders: cancelled, drained, taken back", async () => {
    const sweep = await submit(mesh, { name: "long", trials: 2, epochs: 500, milliseconds: 100, seed: 2 });
    await mesh.trialThat(sweep, "a checkpoint", ({ resource }) => resource > 0);
    valueOf(await mesh.client.command("agent-drain", { agent: "old", drain: true }));
    await until("both to leave at their checkpoints", async (note) => {
      const { trials } = await mesh.sweep(sweep);
      note(trials);
      return trials.every(({ state }) => state === "queued") ? trials : null;
    });
    valueOf(await mesh.client.command("agent-drain", { agent: "old", drain: false }));
    const again = await mesh.trialThat(
      sweep,
      "a second attempt from its checkpoint",
      ({ attempts, state }) => state === "running" && attempts.length > 1,
    );
    assert.ok((again.attempts[1]?.fromResource ?? 0) > 0);
    valueOf(await mesh.client.command("sweep-stop", { sweep, why: "seen enough" }));
    const { trials } = await mesh.ended(sweep);
    assert.deepEqual(new Set(trials.map(({ state }) => state)), new Set(["cancelled"]));
  });

  test("VERSION-2: an old standby ends with the message it cannot read, and the mesh goes on without it", async () => {
    const before = await mesh.mesh();
    const standby = mesh.startOf(main, "two", ...(await mesh.invite("coordinator", "two")));
    assert.equal(await standby.ended, 1);
    assert.match(standby.said, /journal message 1, field v: /);
    const sweep = await submit(mesh, { name: "after", trials: 2, epochs: 2, milliseconds: 20, seed: 3 });
    assert.equal((await mesh.ended(sweep)).summary.state, "done");
    const now = await mesh.mesh();
    assert.deepEqual([now.leader, now.epoch], [before.leader, before.epoch]);
    assert.deepEqual((await mesh.audit()).violations, []);
  });
});

describe("old coordinator and agent, and a standby of this version", { skip, timeout }, () => {
  const mesh = new LiveMesh();
  before(async () => {
    await mesh.upOf(main, "--port", "0", "--slots", "2");
    const standby = mesh.start("two", ...(await mesh.invite("coordinator", "two")));
    await standby.saidLine(/coordinator two of mesh mesh connected/);
  });
  after(() => mesh.close());

  test("VERSION-3: it follows, takes over in the middle of a sweep, and the old agent ends it under the new leader", async () => {
    const earlier = await submit(mesh, { name: "earlier", trials: 3, epochs: 2, milliseconds: 20, seed: 1 });
    assert.equal((await mesh.ended(earlier)).summary.state, "done");
    const sweep = await submit(mesh, { name: "across", trials: 4, epochs: 30, milliseconds: 100, seed: 2 });
    await mesh.trialThat(sweep, "a checkpoint", ({ resource }) => resource > 0);
    assert.equal((await mesh.mesh()).leader, "one");
    // It hangs, and is not started again: one that read on would end, and its `up` with it.
    mesh.pause(mesh.partPid("coordinator"));
    await until("the new coordinator to lead", async () =>
      (await mesh.mesh()).leader === "two" ? true : null,
    );
    const { summary, trials } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    assert.deepEqual(
      trials.map(({ resource, state }) => [state, resource]),
      Array(4).fill(["completed", 30]),
    );
    // What the old one had decided counts on: the same trials again are answered from the record.
    const again = await submit(mesh, { name: "again", trials: 3, epochs: 2, milliseconds: 20, seed: 1 });
    assert.equal((await mesh.ended(again)).summary.counts.reused, 3);
  });

  test("VERSION-3: its journal has both formats, and every rule holds at every event", async () => {
    const kinds = new Set<Event["kind"]>();
    const { leaders, violations } = await mesh.audit(({ kind }) => kinds.add(kind));
    assert.deepEqual(violations, []);
    assert.deepEqual(leaders, ["one", "two"]);
    assert.ok(kinds.has("AttemptEnded") && kinds.has("TrialReused"));
  });
});
