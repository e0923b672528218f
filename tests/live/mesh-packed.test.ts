/**
 * Small checkpoints that came with reports: through a killed leader, a mesh that was ended and started, and an agent that has none of them, a
 * sweep comes to the very bytes of one that nobody disturbed.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SweepView } from "../../protocol/view.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const trials = 18;
/** Of its own each, and small. */
const numbers = 60;
const sweep = (name: string) => `name: ${name}
task: noop
search: { method: random, trials: ${trials}, seed: 3 }
stopping: { policy: asha, min: 1, eta: 3, max: 9 }
models:
  noop: { x: { distribution: uniform, min: 0, max: 1 }, numbers: ${numbers}, milliseconds: 60 }
reuse: false
`;

describe("PACK-3: small checkpoints outlive whoever was told of them", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  before(async () => void (await mesh.up("--port", "0", "--slots", "3")));
  after(() => mesh.close());

  const launch = async (name: string) => {
    const file = mesh.cli.write(`${name}.yaml`, sweep(name));
    return (await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach")).out.trim();
  };
  const artifacts = ({ trials: of }: SweepView) =>
    new Map(of.map(({ artifact, number, resource }) => [`${number} at ${resource}`, artifact]));

  test("a sweep goes on from packed checkpoints on a machine that has none of them, to the same bytes", async () => {
    const whole = await mesh.ended(await launch("whole"));
    const torn = await launch("torn");
    const reached = (count: number) =>
      until(`${count} trials with a checkpoint`, async () => {
        const view = await mesh.sweep(torn);
        return view.trials.filter(({ artifact }) => artifact !== null).length >= count ? true : null;
      });
    await reached(3);
    const leader = mesh.partPid("coordinator");
    process.kill(leader, "SIGKILL");
    await mesh.startedAgain("coordinator", leader);
    await reached(8);
    await mesh.ok(LiveMesh.home, "down");
    await mesh.up("--port", "0", "--no-agent");
    await mesh.joinAgent("two", "--slots", "3");
    const view = await mesh.ended(torn);
    assert.equal(view.summary.counts.failed, 0, JSON.stringify(view.trials));
    const resumed = view.trials.filter(({ attempts }) =>
      attempts.some(
        ({ agent, ending, fromResource }) => agent === "two" && ending === "finished" && fromResource > 0,
      ),
    );
    assert.ok(resumed.length > 0, "some went on from what the first agent had sent");
    const [torn1, whole1] = [artifacts(view), artifacts(whole)];
    const same = [...torn1].filter(([at]) => whole1.has(at));
    assert.ok(same.length >= trials / 2, "most got equally far in both");
    for (const [at, artifact] of same) assert.equal(artifact, whole1.get(at), `trial ${at}`);
    const { state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    for (const { artifact, number } of view.trials)
      if (artifact !== null)
        assert.ok(state.packed.has(artifact), `the checkpoint of trial ${number} came with its report`);
  });
});
