/** Deployments on a real mesh, by the command line: waited for, changed in place, followed by an alias, started elsewhere, paid, stopped. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { deploymentView, type DeploymentView } from "../../protocol/deployment-view.ts";
import { CliMesh } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const sweep = (seed: number) => `name: served
task: text-classification
dataset: language-id
objective: {metric: accuracy, goal: maximize}
search: {method: random, trials: 1, seed: ${seed}}
stopping: {policy: none, max: 1}
models: {linear: {}}
register: {model: served, alias: ${seed === 1 ? "champion" : "challenger"}}
`;

describe("DEPLOY: a version that a real mesh answers with", { skip: skipWithoutNats }, () => {
  const mesh = new CliMesh();

  before(async () => {
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "2");
    await up.saidLine(/mesh mesh is up/);
    for (const seed of [1, 2]) await must("sweep", "run", mesh.write(`served-${seed}.yaml`, sweep(seed)));
  });
  after(() => mesh.close());

  async function must(...words: readonly string[]): Promise<{ out: string; err: string }> {
    const { code, err, out } = await mesh.run("one", ...words);
    assert.equal(code, 0, err);
    return { out, err };
  }

  async function view(): Promise<DeploymentView> {
    const { out } = await must("deploy", "show", "answers", "--json");
    return deploymentView.parse(JSON.parse(out));
  }

  /** Every replica that is wanted answers with the newest revision, and none is there besides. */
  function whole(wanted: number): Promise<DeploymentView> {
    return until(`${wanted} replicas answer`, async (note) => {
      const now = await view();
      note(JSON.stringify(now));
      const ready = now.replicas.filter((one) => one.state === "ready" && one.revision === now.revision);
      return ready.length === wanted && now.replicas.length === wanted ? now : null;
    });
  }

  test("DEPLOY-1: the command waits until one answers; more and fewer replicas are a change of the same", async () => {
    const first = await must("deploy", "answers", "served@champion");
    assert.match(first.err, /answers is deployed: 1 replica of version 1, revision 1/);
    assert.match(first.out, /answers answers with version 1 on one/);
    const changed = await must("deploy", "answers", "served@champion", "--replicas", "2");
    assert.match(changed.err, /answers is changed: 2 replicas of version 1, revision 1/);
    const { replicas, state, tokensPerHour } = await whole(2);
    assert.equal(state, "running");
    assert.deepEqual(
      replicas.map(({ agent }) => agent),
      ["one", "one"],
    );
    assert.ok(tokensPerHour > 0);
    await must("deploy", "answers", "served@champion", "--replicas", "1", "--detach");
    await whole(1);
  });

  test("DEPLOY-3: an alias that moves is followed by every replica", async () => {
    await must("model", "promote", "served@2", "champion");
    const { revision, versions } = await whole(1);
    assert.deepEqual([revision, versions[0]?.version], [2, 2]);
  });

  test("DEPLOY-9: in the place of a replica that somebody stops another is started", async () => {
    const before = await whole(1);
    const { out } = await must("trial", "stop", before.replicas[0]?.trial ?? "");
    assert.ok(out.length > 0);
    const again = await whole(1);
    assert.notEqual(again.replicas[0]?.trial, before.replicas[0]?.trial);
    const logs = await must("deploy", "logs", "answers", "--json");
    const { lines } = z
      .looseObject({ lines: z.array(z.looseObject({ trial: z.string() })) })
      .parse(JSON.parse(logs.out));
    assert.ok(lines.every(({ trial }) => trial === again.replicas[0]?.trial));
  });

  test("DEPLOY-5: its sweep is in no list; what stands on it is named before it is removed", async () => {
    const { sweep: own } = await view();
    const listed = await must("sweep", "ls", "--json");
    assert.ok(!listed.out.includes(`"${own}"`));
    const removed = await mesh.run("one", "model", "rm", "served@2");
    assert.equal(removed.code, 1);
    assert.match(removed.err, /deployment answers, which answers with version 2/);
    const steered = await mesh.run("one", "sweep", "stop", own);
    assert.match(steered.err, /is the replicas of deployment answers/);
  });

  test("DEPLOY-7: what is wrong is refused with what would be right", async () => {
    for (const [sentence, ...words] of [
      [/there is no model swerved.*served/, "swerved"],
      [/served has no version 9; it has 1, 2/, "served@9"],
      [/no known agent can run serve\/replica/, "served@1", "--needs", "cores=999"],
      [/no machine is asked for "core"/, "served@1", "--needs", "core=1"],
    ] as const) {
      const { code, err } = await mesh.run("one", "deploy", "others", ...words);
      assert.equal(code, 1, err);
      assert.match(err, sentence);
    }
    const { out } = await must("deployments");
    assert.match(out, /answers\s+\S+\s+served@champion\s+served@2\s+running\s+1\/1/);
  });

  test("DEPLOY-6: stopped, it answers no more and costs no more, and its name is free", async () => {
    await must("deploy", "stop", "answers", "--why", "enough");
    const ended = await until("it has ended", async () => {
      const now = await view();
      return now.state === "stopped" ? now : null;
    });
    assert.deepEqual([ended.replicas, ended.tokensPerHour], [[], 0]);
    assert.ok(ended.spent > 0);
    const { out } = await must("deployments");
    assert.match(out, /no deployment yet/);
    const again = await must("deploy", "answers", "served@1");
    assert.match(again.err, /answers is deployed: 1 replica of version 1, revision 3/);
  });
});
