/** A deployment on three machines: one is killed, one is drained, the coordinator is killed, and all the while somebody answers. */
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import type { DeploymentView } from "../../protocol/deployment-view.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const sweep = `name: served
task: text-classification
dataset: language-id
objective: {metric: accuracy, goal: maximize}
search: {method: random, trials: 1, seed: 1}
stopping: {policy: none, max: 1}
models: {linear: {}}
register: {model: served, alias: champion}
`;
const deployment = "answers";
const lookMs = 50;

function fencesOf({ replicas }: DeploymentView): readonly (number | null)[] {
  return replicas.flatMap(({ fence, state }) => (state === "ready" ? [fence] : []));
}

describe("DEPLOY-4: replicas on machines that leave", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  let two: CliProcess;
  let isOver = false;
  let watched: Promise<void> = Promise.resolve();
  /** Moments at which none was ready. */
  const gaps: string[] = [];

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    await mesh.ok("one", "sweep", "run", mesh.cli.write("served.yaml", sweep));
    await mesh.cordon("one", true);
    two = await mesh.joinAgent("two", "--slots", "1");
    await mesh.joinAgent("three", "--slots", "1");
  });
  after(async () => {
    isOver = true;
    await watched;
    await mesh.close();
  });

  async function view(): Promise<DeploymentView | null> {
    const answer = await mesh.client.query("deployment", { deployment });
    return !answer.ok && answer.refusal.code === "unavailable" ? null : valueOf(answer);
  }

  /** Both answer, on these machines and no other. */
  function whole(...agents: readonly string[]): Promise<DeploymentView> {
    return until(`replicas on ${agents.join(", ")}`, async (note) => {
      const now = await view();
      note(JSON.stringify(now));
      // Of a machine that is gone only what is paid for is left.
      const there = now?.replicas.filter(({ state }) => state !== "leaving") ?? [];
      const ready = there.filter(({ state }) => state === "ready").map(({ agent }) => agent ?? "");
      return there.length === agents.length && ready.toSorted().join() === agents.join() ? now : null;
    });
  }

  async function watch(): Promise<void> {
    while (!isOver) {
      const now = await view();
      if (now !== null && !now.replicas.some(({ state }) => state === "ready"))
        gaps.push(JSON.stringify(now));
      await setTimeout(lookMs);
    }
  }

  test("DEPLOY-8: two replicas are on two machines", async () => {
    await mesh.ok("one", "deploy", deployment, "served@champion", "--replicas", "2");
    await whole("three", "two");
    watched = watch();
  });

  test("DEPLOY-4: a machine that is killed is replaced before its lease is over", async () => {
    await mesh.cordon("one", false);
    await two.end("SIGKILL");
    await whole("one", "three");
  });

  test("DEPLOY-4: of one that drains the replica leaves when another answers", async () => {
    valueOf(await mesh.client.command("agent-drain", { agent: "three", drain: true }));
    await whole("one", "one");
    valueOf(await mesh.client.command("agent-drain", { agent: "three", drain: false }));
  });

  test("DEPLOY-1: whoever leads next keeps what is there", async () => {
    const before = await whole("one", "one");
    const dead = mesh.partPid("coordinator");
    process.kill(dead, "SIGKILL");
    await mesh.startedAgain("coordinator", dead);
    const now = await whole("one", "one");
    assert.deepEqual(fencesOf(now), fencesOf(before));
    isOver = true;
    await watched;
    assert.deepEqual(gaps, [], "somebody answered all the while");
  });

  test("the journal holds every rule, with all of it settled", async () => {
    await mesh.ok("one", "deploy", "stop", deployment);
    await until("it has ended", async () => ((await view())?.state === "stopped" ? true : null));
    const { state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    assert.equal(
      [...state.accounts.values()].reduce((sum, { pending }) => sum + pending, 0),
      0,
    );
  });
});
