/** Processes that hang and come back: worse than dead ones, since they still believe what was true before. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { LiveMesh } from "../support/live-mesh.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until, within } from "../support/until.ts";

const takeoverMs = 15_000;
/** Much longer than a trial, also where the processes get little of the processors. */
const leaseMs = 10_000;
/** Longer than a lease with its grace. */
const hangMs = 14_000;

describe("MESH-5: what hangs and comes back does no harm", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh(leaseMs);
  let two: CliProcess;

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    const second = mesh.start("second", ...(await mesh.invite("coordinator", "second")));
    two = await mesh.joinAgent("two", "--slots", "1");
    await second.saidLine(/coordinator second of mesh mesh connected/);
  });
  after(() => mesh.close());

  test("a leader and an agent hang: another leads, another trains, and what they say afterwards counts no more", async () => {
    // What agent two has stands still after its first checkpoint: it cannot end before it hangs.
    await mesh.cordon("one", true);
    const sweep = await mesh.submit({
      name: "hung",
      trials: 1,
      epochs: 16,
      milliseconds: 250,
      stallAt: 12,
      seed: 1,
    });
    const held = await mesh.trialThat(
      sweep,
      "a checkpoint of two",
      ({ attempts, resource }) => resource > 0 && attempts.at(-1)?.agent === "two",
    );
    const beside = await mesh.submit({ name: "beside", trials: 2, epochs: 16, milliseconds: 250, seed: 3 });
    await mesh.cordon("one", false);
    const { epoch, leader } = await mesh.mesh();
    assert.equal(leader, "one");
    mesh.pause(two.pid);
    mesh.pause(mesh.partPid("coordinator"));
    const next = await within(
      takeoverMs,
      "the takeover",
      until("the other leader", async () => {
        const view = await mesh.mesh();
        return view.epoch > epoch ? view : null;
      }),
    );
    assert.equal(next.leader, "second");
    await mesh.trialThat(
      sweep,
      "a second attempt",
      ({ attempts, trial }) => trial === held.trial && attempts.length > 1,
    );
    mesh.goOn();
    const { trials } = await mesh.ended(sweep);
    assert.deepEqual(
      [...trials, ...(await mesh.ended(beside)).trials].map(({ state }) => state),
      Array(3).fill("completed"),
    );
    const attempts = trials.find(({ trial }) => trial === held.trial)?.attempts ?? [];
    assert.match(attempts[0]?.ending ?? "", /^lost: two/);
    assert.ok((attempts[1]?.fromResource ?? 0) > 0, "from its checkpoint");
    assert.equal((await mesh.mesh()).leader, "second");
    await mesh.agentThat("two", ({ state }) => state === "present");
  });

  test("the server hangs for longer than a lease: the sweep completes", async () => {
    const sweep = await mesh.submit({ name: "stalled", trials: 6, epochs: 10, milliseconds: 250, seed: 2 });
    await mesh.trialThat(sweep, "a running trial", ({ state }) => state === "running");
    mesh.pause(mesh.partPid("server"));
    await sleep(hangMs);
    mesh.goOn();
    const { trials } = await mesh.ended(sweep);
    // Nothing expires before the reports had time to arrive: what was trained meanwhile counts.
    assert.deepEqual(
      trials.flatMap(({ attempts }) => attempts.map(({ ending }) => ending)),
      Array(6).fill("finished"),
    );
    assert.deepEqual(
      trials.map(({ state }) => state),
      Array(6).fill("completed"),
    );
  });

  test("the journal, replayed from outside, has one leader at a time and one outcome a trial", async () => {
    const { lateReports, leaders, outcomes, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    assert.ok(lateReports > 0, "what two reported after its hang is noted");
    assert.deepEqual(leaders, ["one", "second"]);
    assert.equal(outcomes.size, 9);
  });
});
