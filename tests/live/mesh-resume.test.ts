/** A training run whose agent is killed ends, on another agent, with the very bytes of a run that nobody disturbed. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const epochs = 10;
/** An epoch takes some tenths of a second; both sweeps are the same trial, and the record may not answer for it. */
const sweep = (name: string) => `name: ${name}
task: text-classification
dataset: language-id
search: { method: random, trials: 1, seed: 1 }
stopping: { policy: none, max: ${epochs} }
models: { textcnn: { rowsPerEpoch: 2000, batch: 16, dropout: 0.3, lr: 0.01 } }
needs: { backend: [wasm] }
reuse: false
`;

describe("RESUME-6: killed in the middle of an epoch", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const agents = new Map<string, CliProcess>();
  before(async () => {
    await mesh.up("--port", "0", "--no-agent");
    for (const name of ["one", "two"]) agents.set(name, await mesh.joinAgent(name, "--slots", "1"));
  });
  after(() => mesh.close());

  const launch = async (name: string) => {
    const file = mesh.cli.write(`${name}.yaml`, sweep(name));
    return (await mesh.ok("one", "sweep", "run", file, "--detach")).out.trim();
  };

  test("another agent with the same backend comes to the same figures and weights, bit for bit", async () => {
    const whole = await mesh.ended(await launch("whole"));
    const torn = await launch("torn");
    const half = await mesh.trialThat(torn, "a trial in its third epoch", ({ resource }) => resource >= 2);
    const first = half.attempts.at(-1)?.agent ?? "";
    agents
      .get(first)
      ?.end("SIGKILL")
      .catch(() => undefined);
    const view = await mesh.ended(torn);
    const [trial, twin] = [view.trials[0], whole.trials[0]];
    assert.deepEqual([trial?.state, trial?.resource], ["completed", epochs]);
    const last = trial?.attempts.at(-1);
    assert.notEqual(last?.agent, first, "another agent finished it");
    assert.ok((last?.fromResource ?? 0) >= 1, "from a checkpoint, not from the beginning");
    assert.deepEqual(
      [trial?.rungs, trial?.best],
      [twin?.rungs, twin?.best],
      "the figures are the same, bit for bit",
    );
    assert.ok(trial?.artifact !== null && trial?.artifact === twin?.artifact, "so is the checkpoint");
  });
});
