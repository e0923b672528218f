/** A canary and a shadow on a real mesh of two replicas, asked at its one address: an equal one stays, a worse one is taken out by what both have seen. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { deploymentView, type DeploymentView } from "../../protocol/deployment-view.ts";
import { CliMesh } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

/** Versions 1 and 2 have other bytes and the same answers, for none looks at characters; 3 knows hardly a word. */
const sweep = (version: number) => `name: served-${version}
task: text-classification
dataset: language-id
objective: {metric: accuracy, goal: maximize}
search: {method: random, trials: 1, seed: 1}
stopping: {policy: none, max: 1}
reuse: false
models: {linear: {bucketBits: 12, charMax: 0, charMin: ${version === 1 ? 1 : 2}, minCount: ${version === 3 ? 50 : 1}}}
register: {model: served, alias: ${version === 1 ? "champion" : "challenger"}}
`;
const answerSchema = z.looseObject({ version: z.number() });
const words = ["guten Tag", "where is the river", "il pleut", "buenos", "una casa", "last week", "morgen"];

describe("DEPLOY-17: versions on trial in a deployment of two replicas", { skip: skipWithoutNats }, () => {
  const mesh = new CliMesh();
  let url = "";
  let asked = 0;

  before(async () => {
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "2");
    await up.saidLine(/mesh mesh is up/);
    url = await up.saidLine(/gateway at (\S+)/);
    for (const version of [1, 2, 3])
      await must("sweep", "run", mesh.write(`served-${version}.yaml`, sweep(version)));
    await must("deploy", "answers", "served@champion", "--replicas", "2");
    await whole();
  });
  after(() => mesh.close());

  async function must(...all: readonly string[]): Promise<{ out: string; err: string }> {
    const { code, err, out } = await mesh.run("one", ...all);
    assert.equal(code, 0, err);
    return { out, err };
  }

  async function view(): Promise<DeploymentView> {
    const { out } = await must("deploy", "show", "answers", "--json");
    return deploymentView.parse(JSON.parse(out));
  }

  function whole(): Promise<DeploymentView> {
    return until("both replicas answer with the newest revision", async (note) => {
      const now = await view();
      note(JSON.stringify(now));
      const ready = now.replicas.filter((one) => one.state === "ready" && one.revision === now.revision);
      return ready.length === 2 ? now : null;
    });
  }

  /** Some at once, so that both replicas are asked; gives the versions that answered. */
  async function ask(count: number): Promise<number[]> {
    const texts = Array.from({ length: count }, () => {
      asked++;
      return `${words[asked % 7] ?? ""} ${words[asked % 5] ?? ""} ${asked}`;
    });
    return Promise.all(
      texts.map(async (text) => {
        const answer = await fetch(`${url}/predict/answers`, {
          method: "POST",
          body: JSON.stringify({ text }),
        });
        const said = await answer.text();
        assert.equal(answer.status, 200, said);
        return answerSchema.parse(JSON.parse(said)).version;
      }),
    );
  }

  test("one that is equal answers its share, is compared by both replicas, and stays", async () => {
    await must("deploy", "answers", "served@champion", "--canary", "served@2=30%", "--shadow", "served@3");
    const { revision } = await whole();
    const seen = new Set<number>();
    const now = await until("300 requests are compared", async (note) => {
      for (const version of await ask(40)) seen.add(version);
      const shown = await view();
      note(JSON.stringify(shown.trials));
      const [canary, shadow] = shown.trials ?? [];
      return (canary?.pairs ?? 0) >= 300 && (shadow?.evidence ?? 0) > 100 ? shown : null;
    });
    assert.deepEqual(
      [...seen].toSorted((a, b) => a - b),
      [1, 2],
    );
    const [canary, shadow] = now.trials ?? [];
    assert.ok(canary !== undefined && shadow !== undefined);
    assert.ok(canary.agreed === canary.compared && canary.evidence < 10, JSON.stringify(canary));
    assert.equal(now.revision, revision);
    assert.deepEqual([now.state, now.why], ["running", null]);
    assert.ok(now.replicas.every(({ requests }) => requests > 0));
    const { out } = await must("deploy", "show", "answers");
    assert.match(out, /canary served@2\s+30%\s+\d+\s+0\s+0\s+100%\s+\S+ of 100/);
    assert.match(out, /shadow served@3\s+100%\s/);
  });

  test("one that is worse is taken out by itself, with its reason in `deployments`", async () => {
    await must("deploy", "answers", "served@champion", "--canary", "served@3=30%", "--no-shadow");
    const before = await whole();
    const ended = await until("it is taken out", async (note) => {
      await ask(20);
      const shown = await view();
      note(JSON.stringify(shown.trials));
      return shown.trials === undefined ? shown : null;
    });
    assert.equal(ended.revision, before.revision + 1);
    await whole();
    assert.ok((await ask(40)).every((version) => version === 1));
    const reason =
      /canary served@3 was taken out: it is worse: of \d+ requests .* agreed \(evidence \S+, 100 is enough\)/;
    assert.match((await must("deployments")).out, reason);
  });

  test("DEPLOY-16: a canary is taken out in place, and what cannot be one is refused", async () => {
    await must("deploy", "answers", "served@champion", "--canary", "served@2=5%");
    assert.equal((await whole()).why, null);
    await must("deploy", "answers", "served@champion", "--no-canary");
    const { trials, versions } = await whole();
    assert.deepEqual([trials, versions.length], [undefined, 1]);
    for (const [sentence, ...given] of [
      [/served@1 is version 1, which is what is answered with/, "--canary", "served@1=5%"],
      [/canary: served has no version 9/, "--canary", "served@9=5%"],
      [/alpha is for a canary/, "--alpha", "0.1"],
      [/its share in percent/, "--canary", "served@2"],
    ] as const) {
      const { code, err } = await mesh.run("one", "deploy", "answers", "served@champion", ...given);
      assert.notEqual(code, 0);
      assert.match(err, sentence);
    }
  });
});
