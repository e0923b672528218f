/**
 * Agents give each other artifacts directly: what one has, the next has from it and not from the server, and one that is revoked gets and
 * gives nothing. On loopback; that chunks are right, and who lies is left, is the transfer's (`contract/peer-*`).
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const sweep = (name: string, agent: string) => `name: ${name}
task: text-classification
dataset: language-id
objective: { metric: accuracy }
search: { method: random, trials: 1, seed: 3 }
stopping: { policy: none, max: 1 }
models: { linear: {} }
needs: { agents: { only: [${agent}] } }
reuse: false
`;

describe("artifacts from agent to agent", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  before(async () => void (await mesh.up("--port", "0", "--no-agent")));
  after(() => mesh.close());

  const train = async (name: string, agent: string) => {
    const file = mesh.cli.write(`${name}.yaml`, sweep(name, agent));
    const id = (await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach")).out.trim();
    assert.equal((await mesh.ended(id)).summary.counts.completed, 1);
  };

  test("what the first agent fetched from the mesh's store, the second has from the first, and a third from either", async () => {
    const first = await mesh.joinAgent("first");
    await until(
      "the first agent's certificate",
      () => /agent first of mesh .* has one/.test(first.said) || null,
    );
    await train("one", "first");
    const { dataset } = await mesh.sweep("s1");
    const digest = dataset?.digest ?? "";
    assert.doesNotMatch(first.said, /from 1 agent/, "there was nobody to have it from");
    const second = await mesh.joinAgent("second", "--upload", "0");
    await until(
      "the second agent's certificate",
      () => /agent second of mesh .* has one/.test(second.said) || null,
    );
    await train("two", "second");
    // Whoever looks is told of both, once they have said it.
    await until("both to be told as holders", async () => {
      const { out } = await mesh.ok(LiveMesh.home, "artifact", "show", digest);
      return /^agents +first, second$/mu.test(out) || null;
    });
    // The second gives nothing away.
    const third = await mesh.joinAgent("third");
    await until(
      "the third agent's certificate",
      () => /agent third of mesh .* has one/.test(third.said) || null,
    );
    await train("three", "third");
    assert.match(third.said, /^artifact [0-9a-f]{12}: .* from 1 agent: first$/mu);
  });

  test("where those who had it are gone, the mesh's store still has it", async () => {
    for (const name of ["first", "second", "third"]) await mesh.ok(LiveMesh.home, "revoke", name);
    const last = await mesh.joinAgent("last");
    await train("four", "last");
    assert.doesNotMatch(last.said, /from \d+ agent/);
  });
});
