/**
 * This version and the one before it in one mesh, as while somebody upgrades: the machine that made the mesh
 * first, agents whenever it suits. Built from the project's history; without it, `tests/contract/old-agent.test.ts` still plays what an old agent once said.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Event } from "../../coordinator/format/event.ts";
import { joiningWords, LiveMesh, valueOf } from "../support/live-mesh.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
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
function fileOf(mesh: LiveMesh, { epochs, milliseconds, name, seed, trials }: SweepOptions): string {
  const text = `name: ${name}
task: noop
search: {method: random, trials: ${trials}, seed: ${seed}}
stopping: {policy: none, max: ${epochs}}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: ${milliseconds}}
`;
  return mesh.cli.write(`${name}.yaml`, text);
}

async function submit(mesh: LiveMesh, options: SweepOptions): Promise<string> {
  const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", fileOf(mesh, options), "--detach");
  return out.trim();
}

describe(
  "a mesh that the version before made, brought to this one under an agent and a standby that stay",
  { skip, timeout },
  () => {
    const mesh = new LiveMesh();
    let standbyWords: readonly string[] = [];
    let agent: CliProcess | null = null;
    const [earlier, across] = [
      { name: "earlier", trials: 3, epochs: 2, milliseconds: 20, seed: 1 },
      { name: "across", trials: 4, epochs: 30, milliseconds: 100, seed: 2 },
    ];
    const oldSubmit = async (options: SweepOptions, ...flags: readonly string[]) =>
      mesh.okOf(main, LiveMesh.home, "sweep", "run", fileOf(mesh, options), ...flags);

    before(async () => {
      const up = await mesh.upOf(main, "--port", "0", "--no-agent");
      const invite = async (role: string, name: string) =>
        joiningWords(await mesh.okOf(main, LiveMesh.home, "invite", role, name));
      standbyWords = await invite("coordinator", "two");
      agent = mesh.startOf(main, "old", ...(await invite("agent", "old")), "--slots", "2");
      await oldSubmit(earlier);
      await oldSubmit(across, "--detach");
      await agent.saidLine(/s2-1: noop/);
      assert.equal(await up.end(), 0);
      const now = await mesh.up("--no-agent", "--tls", "off");
      assert.match(now.said, /new credentials for .*owner owner/);
      assert.match(now.said, /still share an account.*: coordinator two, agent old\n/);
    });
    after(() => mesh.close());

    test("VERSION-3: what was under way goes on with the old agent and the new leader, and what was done counts", async () => {
      const { summary, trials } = await mesh.ended("s2");
      assert.equal(summary.state, "done");
      assert.deepEqual(
        trials.map(({ resource, state }) => [state, resource]),
        Array(4).fill(["completed", 30]),
      );
      // What the old one had decided counts on: the same trials again are answered from the record.
      const again = await submit(mesh, { ...earlier, name: "again" });
      assert.equal((await mesh.ended(again)).summary.counts.reused, 3);
      assert.equal(agent?.isOver, false, "with the credential that it had");
    });

    test("VERSION-1: an old agent trains for a new coordinator, and its trials cost and end as they should", async () => {
      const sweep = await submit(mesh, { name: "both", trials: 6, epochs: 4, milliseconds: 50, seed: 1 });
      const { summary, trials } = await mesh.ended(sweep);
      assert.equal(summary.state, "done");
      assert.deepEqual(
        trials.map(({ attempts, resource, state }) => [
          state,
          resource,
          attempts.map(({ ending }) => ending),
        ]),
        Array(6).fill(["completed", 4, ["finished"]]),
      );
      assert.ok(summary.spent > 0);
      const curves = await Promise.all(
        trials.map(({ trial }) => mesh.client.query("curve", { trial }).then(valueOf)),
      );
      assert.deepEqual(new Set(curves.map(({ points }) => points.length)), new Set([4]));
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
      const standby = mesh.startOf(main, "two", ...standbyWords);
      assert.equal(await standby.ended, 1);
      assert.match(standby.said, /journal message \d+, field v: /);
      const sweep = await submit(mesh, { name: "after", trials: 2, epochs: 2, milliseconds: 20, seed: 3 });
      assert.equal((await mesh.ended(sweep)).summary.state, "done");
      const now = await mesh.mesh();
      assert.deepEqual([now.leader, now.epoch], [before.leader, before.epoch]);
    });

    test("VERSION-5: an updated agent renews its credential by itself, and goes on in its home", async () => {
      assert.equal(await agent?.end(), 0);
      const updated = mesh.start("old", "agent", "--slots", "2");
      await mesh.agentThat("old", ({ state }) => state === "present");
      const sweep = await submit(mesh, { name: "updated", trials: 2, epochs: 2, milliseconds: 20, seed: 4 });
      assert.equal((await mesh.ended(sweep)).summary.state, "done");
      assert.equal(updated.isOver, false);
    });

    test("VERSION-4: this version's invitations are refused by the one before", async () => {
      const words = await mesh.invite("agent", "three");
      const refused = mesh.startOf(main, "three", ...words);
      assert.equal(await refused.ended, 1);
      assert.match(refused.said, /this invitation is of version 3/);
    });

    test("VERSION-3: its journal has both formats, and every rule holds at every event", async () => {
      const kinds = new Set<Event["kind"]>();
      const { leaders, violations } = await mesh.audit(({ kind }) => kinds.add(kind));
      assert.deepEqual(violations, []);
      assert.deepEqual(leaders, ["one", "one"]);
      assert.ok(kinds.has("AttemptEnded") && kinds.has("TrialReused"));
    });
  },
);
