/** Slots given up on a live mesh: for another requester's share, for a drain, after a cordon. Whom to ask is decided in core. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Event } from "../../coordinator/format/event.ts";
import { milliTokensPerToken, priceOf } from "../../protocol/token.ts";
import type { TrialView } from "../../protocol/view.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const epochMs = 200;
const grant = 500 * milliTokensPerToken;
/** Longer than a requester waits before a slot is taken for it, which is two leases. */
const longEpochs = 100;
/** Long enough that it has not ended when the agent that has it is told of its drain. */
const epochs = 30;

describe("PREEMPT: slots that are given up", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh(4_000);

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    const [{ client }] = await Promise.all([mesh.person("owner"), mesh.joinAgent("two", "--slots", "1")]);
    for (const requester of ["greedy", "modest"]) {
      valueOf(await client.command("account-open", { requester, weight: 1, grant }));
      // Connected before anything runs, so that what they ask comes in the middle of it.
      await mesh.person(requester);
    }
  });
  after(() => mesh.close());

  let seed = 0;
  const launch = async (requester: string, trials: number, length: number, more = "") => {
    const name = `${requester}-${++seed}`;
    const options = { name, trials, epochs: length, milliseconds: epochMs, seed, more };
    return valueOf(await mesh.launch(requester, options));
  };
  const runningOn = (sweep: string, agent: string) =>
    mesh.trialThat(sweep, `a trial on ${agent}`, ({ attempts }) =>
      attempts.some((one) => one.agent === agent && one.state === "running"),
    );
  const agentsOf = ({ attempts }: TrialView) => attempts.map(({ agent, ending }) => [agent, ending]);
  /** Epoch of the last checkpoint of each attempt, by fence, and what else happened, in order. */
  const journal = async () => {
    const kept = new Map<number, number>();
    const events: Event[] = [];
    const { state, violations } = await mesh.audit((event) => {
      events.push(event);
      if (event.kind === "CheckpointKept") kept.set(event.fence, event.resource);
    });
    assert.deepEqual(violations, []);
    /** The attempt that was stopped, and the next: it went on where the other left it, which alone was paid for. */
    const resumed = (id: string) => {
      const [stopped, next, ...rest] = state.trials.get(id)?.attempts ?? [];
      assert.ok(stopped !== undefined && next !== undefined && rest.length === 0, `${id} has two attempts`);
      const reached = kept.get(stopped.fence) ?? 0;
      assert.ok(reached > 0, "it had a checkpoint");
      assert.equal(next.from?.resource, reached, "it went on from its last checkpoint");
      assert.equal(next.ending, "finished");
      assert.equal(stopped.posted, priceOf(stopped.keptMs, stopped.rate), "nothing done was lost");
      return { stopped, next };
    };
    return { events, resumed, state };
  };

  test("PREEMPT-3: who holds every slot makes room for who waits, once, at a checkpoint, and goes on from it", async (t) => {
    const greedy = await launch("greedy", 3, longEpochs);
    await mesh.trialThat(
      greedy,
      "the last of three to run",
      ({ number, state }) => number === 3 && state === "running",
    );
    const modest = await launch("modest", 1, 2);
    const [held, served] = await Promise.all([mesh.ended(greedy), mesh.ended(modest)]);
    for (const { state } of [...held.trials, ...served.trials]) assert.equal(state, "completed");

    const { events, resumed } = await journal();
    const asked = events.filter((event) => event.kind === "CancelRequested");
    const [cancel] = asked;
    const endings = [...held.trials, ...served.trials].map(agentsOf);
    assert.ok(
      cancel !== undefined && asked.length === 1,
      `${asked.length} asked: ${JSON.stringify(endings)}`,
    );
    assert.deepEqual([cancel.how, cancel.preemptedFor], ["checkpoint", "modest"]);
    const reason = `made room for ${modest}-1 of modest; greedy had more than its share`;
    assert.equal(cancel.reason, reason);
    const victim = held.trials.find(({ attempts }) => attempts.some(({ fence }) => fence === cancel.fence));
    assert.ok(victim !== undefined, "of those who had more than their share");
    const { stopped, next } = resumed(victim.trial);
    assert.deepEqual([stopped.ending, stopped.note], ["stopped", reason]);
    t.diagnostic(`${victim.trial} left ${stopped.agent} at epoch ${next.from?.resource} of ${longEpochs}`);
    const after = events.slice(
      events.findIndex((one) => one.kind === "AttemptEnded" && one.fence === cancel.fence),
    );
    const offer = after.find((one) => one.kind === "LeaseOffered");
    assert.deepEqual(
      [offer?.trial, offer?.agent],
      [`${modest}-1`, stopped.agent],
      "the slot goes to who waited",
    );
    for (const other of held.trials) if (other !== victim) assert.equal(other.attempts.length, 1);
  });

  test("`agents drain` empties an agent: what ran there goes on elsewhere from its checkpoint", async () => {
    const sweep = await launch("greedy", 3, epochs);
    const { trial } = await runningOn(sweep, "two");
    valueOf(await (await mesh.person("owner")).client.command("agent-drain", { agent: "two", drain: true }));
    await mesh.agentThat("two", ({ running, state }) => state === "draining" && running.length === 0);
    const { trials } = await mesh.ended(sweep);
    const moved = trials.find((one) => one.trial === trial) ?? assert.fail();
    assert.deepEqual(agentsOf(moved), [
      ["two", "stopped: the agent is draining"],
      ["one", "finished"],
    ]);
    assert.deepEqual([moved.state, moved.resource], ["completed", epochs]);
    (await journal()).resumed(trial);
    const { out } = await mesh.ok("one", "agents", "drain", "two");
    assert.equal(out, "two takes no new trials; nothing runs there\n");
    await mesh.ok("one", "agents", "drain", "two", "--end");
    await mesh.agentThat("two", ({ state }) => state === "present");
  });

  test("`agents cordon` lets what runs there end, and places nothing new until it is ended", async () => {
    const sweep = await launch("greedy", 3, epochs);
    const { trial } = await runningOn(sweep, "two");
    valueOf(
      await (await mesh.person("owner")).client.command("agent-cordon", { agent: "two", cordon: true }),
    );
    await mesh.agentThat("two", ({ state }) => state === "cordoned");
    const next = await launch("modest", 4, 1);
    const [first, second] = await Promise.all([mesh.ended(sweep), mesh.ended(next)]);
    const stayed = first.trials.find((one) => one.trial === trial) ?? assert.fail();
    assert.deepEqual(agentsOf(stayed), [["two", "finished"]]);
    const placed = second.trials.flatMap(({ attempts }) => attempts.map(({ agent }) => agent));
    assert.deepEqual(placed, Array(4).fill("one"));

    const { out } = await mesh.ok("one", "agents", "cordon", "two");
    assert.equal(out, "two takes no new trials; 0 attempts there run to the end\n");
    const waiting = await launch("modest", 1, 1, "needs: {agents: {only: [two]}}\n");
    await mesh.trialThat(waiting, "a queued trial", ({ state }) => state === "queued");
    const ended = await mesh.ok("one", "agents", "cordon", "two", "--end");
    assert.equal(ended.out, "two takes trials again\n");
    const { trials } = await mesh.ended(waiting);
    assert.deepEqual(trials.map(agentsOf), [[["two", "finished"]]]);
    await journal();
  });
});
