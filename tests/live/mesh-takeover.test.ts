/** Coordinators and the server killed in the middle of a sweep: others lead, and nothing is lost or done twice. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LiveMesh } from "../support/live-mesh.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { isAlive } from "../support/living-process.ts";
import { until, within } from "../support/until.ts";

const takeoverMs = 15_000;

describe("MESH-2: coordinators and server may die", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  let second: CliProcess;

  before(async () => {
    await mesh.up("--port", "0", "--slots", "3");
    second = mesh.start("second", ...(await mesh.invite("coordinator", "second")));
    await second.saidLine(/coordinator second of mesh mesh connected/);
  });
  after(() => mesh.close());

  /** Whoever leads in a later epoch than `epoch`, once it answers. */
  function nextLeader(epoch: number) {
    return until(`a leader after epoch ${epoch}`, async () => {
      const view = await mesh.mesh();
      return view.epoch > epoch ? view : null;
    });
  }

  test("kill -9 of the leading coordinator: another leads within 15 s, and so does the first again", async () => {
    const sweep = await mesh.submit({ name: "led", trials: 6, epochs: 8, milliseconds: 250, seed: 1 });
    await mesh.trialThat(sweep, "a running trial", ({ state }) => state === "running");
    const first = await mesh.mesh();
    assert.equal(first.leader, "one");
    let before = first;
    // `up` starts its own again after a pause that grows, so it may win the first race.
    while (before.leader === "one") {
      process.kill(mesh.partPid("coordinator"), "SIGKILL");
      before = await within(takeoverMs, "the takeover", nextLeader(before.epoch));
    }
    assert.equal(before.leader, "second");
    // The one that is alone must now be the one that `up` started again.
    await mesh.coordinatorConnected();
    process.kill(second.pid, "SIGKILL");
    const last = await within(takeoverMs, "the takeover", nextLeader(before.epoch));
    assert.equal(last.leader, "one");

    const { summary, trials } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    assert.deepEqual(
      trials.map(({ state }) => state),
      Array(6).fill("completed"),
    );
  });

  test("kill -9 of the server: it is started again, training goes on meanwhile, and the sweep completes", async () => {
    const sweep = await mesh.submit({ name: "served", trials: 6, epochs: 20, milliseconds: 250, seed: 2 });
    const isEarly = ({ resource }: { readonly resource: number }) => resource > 0 && resource < 12;
    const busy = await mesh.agentThat("one", ({ running }) => running.some(isEarly));
    const dead = mesh.partPid("server");
    const killedAt = Date.now();
    process.kill(dead, "SIGKILL");
    assert.notEqual(await mesh.startedAgain("server", dead), dead);
    const { summary, trials } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    assert.deepEqual(
      trials.map(({ state }) => state),
      Array(6).fill("completed"),
    );
    const attempts = trials.flatMap((trial) => trial.attempts);
    assert.ok(
      attempts.every(({ ending }) => ending === "finished"),
      "no attempt was lost to the outage",
    );
    const through = trials.find(({ trial }) => trial === busy.running.find(isEarly)?.trial)?.attempts[0];
    assert.ok(through !== undefined && through.startedAt < killedAt && (through.endedAt ?? 0) > killedAt);
  });

  test("kill -9 of `up` itself: its parts and its server end, and the next `up` goes on", async () => {
    const sweep = await mesh.submit({ name: "left", trials: 4, epochs: 6, milliseconds: 250, seed: 3 });
    await mesh.trialThat(sweep, "a running trial", ({ state }) => state === "running");
    const server = mesh.partPid("server");
    await mesh.killUp();
    await mesh.up();
    assert.ok(!isAlive(server));
    const { trials } = await mesh.ended(sweep);
    assert.deepEqual(
      trials.map(({ state }) => state),
      Array(4).fill("completed"),
    );
  });

  test("the journal, replayed from outside, has each leader in turn and one outcome a trial", async () => {
    const { leaders, outcomes, state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    assert.ok(
      leaders.includes("second") && leaders.at(0) === "one" && leaders.at(-1) === "one",
      leaders.join(),
    );
    assert.equal(outcomes.size, 16);
    assert.equal(state.trials.size, 16);
  });
});
