/** Agents of several machines: joined by invitation, worked, killed, revoked, withheld by their owners. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LiveMesh } from "../support/live-mesh.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { within } from "../support/until.ts";
import { meshView, trialView } from "../../protocol/view.ts";
import { whyView } from "../../protocol/why-view.ts";

const cutOffMs = 2_000;
const minutesPerDay = 24 * 60;

/** A span of the day that does not hold this minute, as owners write it. */
function otherHours(): string {
  const now = new Date();
  const time = (hours: number) => {
    const minute = (now.getHours() * 60 + now.getMinutes() + hours * 60) % minutesPerDay;
    return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  };
  return `${time(2)}-${time(3)}`;
}

describe("MESH-1: agents come, work and go", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  let two: CliProcess;
  let three: CliProcess;

  before(async () => {
    await mesh.up("--port", "0", "--slots", "4");
    const flags = ["--slots", "1", "--label", "room=cellar"];
    [two, three] = await Promise.all([
      mesh.joinAgent("two", ...flags),
      mesh.joinAgent("three", "--slots", "1"),
    ]);
  });
  after(() => mesh.close());

  test("trials spread over three agents, each with measured capabilities", async () => {
    const sweep = await mesh.submit({ name: "spread", trials: 6, epochs: 2, milliseconds: 200, seed: 1 });
    const { trials } = await mesh.ended(sweep);
    assert.deepEqual(
      trials.map(({ state }) => state),
      Array(6).fill("completed"),
    );
    const workers = trials.flatMap(({ attempts }) => attempts.map(({ agent }) => agent));
    assert.deepEqual([...new Set(workers)].toSorted(), ["one", "three", "two"]);

    const { out } = await mesh.ok("one", "agents", "--json");
    const { agents } = meshView.parse(JSON.parse(out));
    assert.equal(agents.length, 3);
    for (const { agent, backends, host, rates } of agents) {
      assert.ok(host.cores > 0 && host.memGiB > 0, agent);
      assert.ok(
        backends.some(({ name, works }) => name !== "none" && works),
        agent,
      );
      const measured = rates.filter(({ kind }) => kind.startsWith("text-classification/"));
      assert.ok(measured.length > 0 && measured.every((rate) => rate.examplesPerSecond > 0), agent);
    }
  });

  test("an agent killed and an agent revoked in mid-trial: both trials resume elsewhere from their checkpoints", async () => {
    await mesh.cordon("one", true);
    // They stand still soon after their first checkpoint: neither can have ended before its agent goes.
    const sweep = await mesh.submit({
      name: "lost",
      trials: 2,
      epochs: 20,
      milliseconds: 200,
      stallAt: 14,
      seed: 2,
    });
    const heldBy = (agent: string) =>
      mesh.trialThat(
        sweep,
        `a checkpoint of ${agent}`,
        ({ attempts, resource }) =>
          attempts.some((attempt) => attempt.agent === agent && attempt.state === "running") && resource > 0,
      );
    const [ofTwo, ofThree] = await Promise.all([heldBy("two"), heldBy("three")]);
    await mesh.cordon("one", false);
    process.kill(two.pid, "SIGKILL");

    const revoked = await mesh.ok("one", "revoke", "three");
    assert.equal(revoked.out, "agent three is cut off now\n");
    assert.equal(await within(cutOffMs, "the end of agent three", three.ended), 1);
    assert.match(three.said, /^trialmesh: the mesh no longer accepts agent three: credentials revoked$/m);

    const { trials } = await mesh.ended(sweep);
    assert.deepEqual(
      trials.map(({ state }) => state),
      Array(2).fill("completed"),
    );
    for (const [name, { trial }] of [
      ["two", ofTwo],
      ["three", ofThree],
    ] as const) {
      const { out } = await mesh.ok("one", "trial", "show", trial, "--json");
      const { attempts } = trialView.parse(JSON.parse(out));
      assert.deepEqual(
        attempts.map(({ agent }) => agent),
        [name, "one"],
      );
      assert.match(attempts[0]?.ending ?? "", new RegExp(`^lost: ${name}`));
      assert.ok((attempts[1]?.fromResource ?? 0) > 0, "from its checkpoint");
      assert.equal(attempts[1]?.ending, "finished");
    }
  });

  test("no trial goes to an agent whose owner withholds it, `trial why` says so, and it goes on when he lets it", async () => {
    two = mesh.start("two", "agent", "--slots", "0");
    await mesh.agentThat("two", ({ state }) => state === "closed");
    await mesh.joinAgent("four", "--hours", otherHours(), "--label", "room=cellar");
    await mesh.agentThat("four", ({ state }) => state === "closed");
    const more = "needs: {labels: {room: cellar}}\n";
    const sweep = await mesh.submit({
      name: "cellar",
      trials: 2,
      epochs: 1,
      milliseconds: 50,
      seed: 3,
      more,
    });
    const waiting = await mesh.trialThat(sweep, "a queued trial", ({ state }) => state === "queued");
    assert.deepEqual(waiting.attempts, []);
    const { out } = await mesh.ok("one", "trial", "why", waiting.trial, "--json");
    const { agents, sentence } = whyView.parse(JSON.parse(out));
    const reasons = new Map(
      agents.map(({ agent, fits, reasons }) => [agent, fits ? "fits" : reasons.join("; ")]),
    );
    assert.match(reasons.get("two") ?? "", /the owner gives no slots$/);
    assert.match(reasons.get("four") ?? "", /^outside the owner's hours \(\d\d:\d\d-\d\d:\d\d\)$/);
    assert.match(reasons.get("one") ?? "", /room/);
    assert.match(sentence, /^No agent fits; the nearest is /);

    assert.equal(await two.end(), 0);
    two = mesh.start("two", "agent", "--slots", "1");
    const { trials } = await mesh.ended(sweep);
    assert.deepEqual(
      trials.flatMap(({ attempts }) => attempts.map(({ agent }) => agent)),
      ["two", "two"],
    );
  });

  test("a sweep that no agent can run is refused with the nearest of several and what it lacks", async () => {
    const file = mesh.file({
      name: "far",
      trials: 1,
      epochs: 1,
      milliseconds: 0,
      seed: 4,
      more: "needs: {memGiB: 100000, labels: {room: cellar}}\n",
    });
    const said = await mesh.refused("one", "sweep", "run", file);
    assert.match(
      said,
      /^trialmesh: no known agent can run noop\/noop; the nearest is (two|four), which lacks .*memGiB/,
    );
    assert.doesNotMatch(said, /room/);
  });

  test("the journal, replayed from outside, holds every rule at every event", async () => {
    const { outcomes, state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    assert.equal(outcomes.size, state.trials.size);
    assert.equal(outcomes.size, 10);
  });
});
