/** GATEWAY on a real mesh: a deployment is asked at the address that `up` has, while its alias moves, its processes are killed and a second agent comes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { deploymentView, type DeploymentView } from "../../protocol/deployment-view.ts";
import { CliMesh, type CliProcess } from "../support/cli-mesh.ts";
import { processesUnder } from "../support/process-tree.ts";
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
const answerSchema = z.looseObject({ version: z.number(), label: z.string(), answer: z.string() });

describe("GATEWAY-1: a mesh's deployments at one address", { skip: skipWithoutNats }, () => {
  const mesh = new CliMesh();
  let up: CliProcess;
  let url = "";

  before(async () => {
    up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "2");
    await up.saidLine(/mesh mesh is up/);
    url = await up.saidLine(/gateway at (\S+)/);
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

  function whole(revision: number): Promise<DeploymentView> {
    return until(`two replicas answer with revision ${revision}`, async (note) => {
      const now = await view();
      note(JSON.stringify(now));
      const ready = now.replicas.filter((one) => one.state === "ready" && one.revision === revision);
      return ready.length === 2 ? now : null;
    });
  }

  async function ask(text: string, at = url) {
    const answer = await fetch(`${at}/predict/answers`, { method: "POST", body: JSON.stringify({ text }) });
    const said = await answer.text();
    assert.equal(answer.status, 200, said);
    return answerSchema.parse(JSON.parse(said));
  }

  test("asked under load while the alias moves and replicas are killed: none fails, and an answer's id leads to its data", async () => {
    assert.equal((await fetch(`${url}/v2/health/ready`)).status, 503);
    await must("deploy", "answers", "served@champion", "--replicas", "2", "--detach");
    // The first request waits for the replica that starts.
    assert.equal((await ask("guten Abend")).version, 1);
    const deployed = await must("deploy", "answers", "served@champion", "--replicas", "2");
    assert.ok(deployed.err.includes(`ask it at ${url}/predict/answers`), deployed.err);
    await whole(1);
    // Many who come at once are no reason to leave a replica aside.
    await Promise.all(Array.from({ length: 100 }, (_, at) => ask(`number ${at}`)));
    assert.doesNotMatch(await (await fetch(`${url}/metrics`)).text(), /retries_total\{.*\} [1-9]/);
    const seen = new Map<number, string>();
    let isOver = false;
    const caller = async () => {
      while (!isOver) {
        const { label, version } = await ask("guten Morgen");
        assert.equal(label, seen.get(version) ?? label);
        seen.set(version, label);
      }
    };
    const callers = Promise.all(Array.from({ length: 4 }, caller));
    try {
      for (const [at, version] of [2, 1, 2].entries()) {
        await must("model", "promote", `served@${version}`, "champion");
        await Promise.race([whole(at + 2), callers]);
        const before = (await view()).replicas.map(({ fence }) => fence);
        // The newest are replicas; older ones may have trained.
        const pid = replicaPids(up.pid)
          .toSorted((a, b) => a - b)
          .at(-1);
        assert.ok(pid !== undefined);
        process.kill(pid, "SIGKILL");
        const another = until("another in its place", async () =>
          (await view()).replicas.some(({ fence }) => !before.includes(fence)) ? true : null,
        );
        await Promise.race([another, callers]);
        await Promise.race([whole(at + 2), callers]);
      }
    } finally {
      isOver = true;
    }
    await callers;
    assert.deepEqual(
      [...seen.keys()].toSorted((a, b) => a - b),
      [1, 2],
    );
    const { out } = await must("lineage", (await ask("guten Tag")).answer);
    assert.match(out, /served@2/);
  });

  test("GATEWAY-3: a second gateway answers the same; a wrong way to listen is refused", async () => {
    const second = mesh.start("one", "gateway", "--listen", "127.0.0.1:0");
    const at = await second.saidLine(/gateway at (\S+)/);
    assert.equal((await ask("guten Morgen", at)).version, 2);
    const refused = await mesh.run("one", "gateway", "--listen", "0.0.0.0:0");
    assert.notEqual(refused.code, 0);
    assert.match(refused.err, /--key-file/);
    await must("deploy", "stop", "answers");
    await until("it is gone here too", async () => {
      const body = JSON.stringify({ text: "x" });
      return (await fetch(`${at}/predict/answers`, { method: "POST", body })).status === 404 ? true : null;
    });
  });
});

/** Processes of a mesh's agents that run a child, of a replica or idle. */
function replicaPids(root: number): number[] {
  return processesUnder(root).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("agent/child/child.");
    } catch {
      return false;
    }
  });
}
