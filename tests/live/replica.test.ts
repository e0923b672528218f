/**
 * Large checkpoints lie at the agent that made them and at another one, and not on the server: real processes, killed at any moment. On
 * loopback; who is asked, and what is let go, is `core/replica-*`.
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import type { TrialView } from "../../protocol/view.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const mebibyte = 2 ** 20;
const checkpointMiB = 6;

/** Saves some MiB that no other epoch has. It stands still in its fourth epoch, where it began from nothing and `stand` says so. */
const script = `
import json, os, sys, time
folder = os.environ["TRIALMESH_CHECKPOINT_DIR"]
state = os.path.join(folder, "state.bin")
params = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
done = 0
if os.path.exists(state):
    with open(state, "rb") as file:
        done = int(file.read(8))
print("goes on from", done, flush=True)
for epoch in range(done + 1, int(params["epochs"]) + 1):
    time.sleep(600 if epoch == 4 and done == 0 and params["stand"] == "1" else float(params["pause"]))
    with open(state + ".part", "wb") as file:
        file.write(b"%08d" % epoch + os.urandom(${checkpointMiB * mebibyte}))
    os.replace(state + ".part", state)
    print(f"score={epoch + float(params['seed']) / 1000:.4f}", flush=True)
`;

const python = findInterpreter(process.env);

describe("large checkpoints at agents", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const agents = new Map<string, CliProcess>();
  let sweeps = 0;

  const join3 = async (name: string, ...flags: readonly string[]) => {
    const agent = await mesh.joinAgent(name, "--slots", "1", "--programs", "any", ...flags);
    agents.set(name, agent);
    await until(
      `the certificate of ${name}`,
      () => new RegExp(`agent ${name} of mesh .* has one`, "u").test(agent.said) || null,
    );
    return agent;
  };
  const launch = async (parameters: string, more = "") => {
    const name = `large-${++sweeps}`;
    const folder = join(mesh.cli.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "train.py"), script);
    writeFileSync(
      join(folder, "sweep.yaml"),
      `name: ${name}
command: [${JSON.stringify(python)}, train.py, "\${args}"]
objective: { metric: score, keep: max }
search: { method: random, trials: 1, seed: 1 }
stopping: { policy: none, max: 6 }
parameters: { seed: ${sweeps}, ${parameters} }
${more}
`,
    );
    const file = join(folder, "sweep.yaml");
    return (await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach")).out.trim();
  };
  const storedBytes = async () => {
    const answer = await mesh.client.query("garbage", {});
    assert.ok(answer.ok, JSON.stringify(answer));
    return answer.value.storedBytes;
  };
  const startsOf = async (trial: TrialView) => {
    const logs = await mesh.client.query("logs", { trial: trial.trial, limit: 200 });
    assert.ok(logs.ok);
    return logs.value.lines.flatMap(({ line }) => Number(/^goes on from (\d+)$/u.exec(line)?.[1] ?? -1));
  };

  before(async () => {
    await mesh.up("--port", "0", "--no-agent");
    for (const name of ["den", "attic", "cellar"]) await join3(name);
  });
  after(() => mesh.close());

  /** A sweep of which a checkpoint of its third epoch is kept, and the agent that made it and runs it. */
  async function keptRunning() {
    const sweep = await launch("epochs: 6, pause: 1.2, stand: 1");
    const kept = await mesh.trialThat(
      sweep,
      "a checkpoint of its third epoch",
      (trial) => trial.state === "running" && trial.resource >= 2 && trial.artifact !== null,
    );
    const maker = kept.attempts.at(-1)?.agent ?? "";
    return { maker, sweep };
  }

  test("REPL-1: kill -9 of the agent that made it: the trial goes on from its last checkpoint, and the server has had none of it", async () => {
    const before = await storedBytes();
    const { maker, sweep } = await keptRunning();
    assert.match(
      agents.get(maker)?.said ?? "",
      /large checkpoints that are made here are held by agent \w+ too/,
    );
    await agents.get(maker)?.end("SIGKILL");
    const [trial] = (await mesh.ended(sweep)).trials;
    assert.ok(trial !== undefined);
    assert.deepEqual([trial.state, trial.resource], ["completed", 6]);
    assert.equal(trial.attempts.length, 2);
    assert.notEqual(trial.attempts.at(-1)?.agent, maker);
    const starts = (await startsOf(trial)).filter((from) => from >= 0);
    assert.equal(starts[0], 0);
    assert.ok((starts[1] ?? 0) >= 2, `it went on from ${JSON.stringify(starts)}`);
    const stored = (await storedBytes()) - before;
    assert.ok(stored < mebibyte, `${stored} bytes went into the mesh's store`);
    await join3(`${maker}-2`);
  });

  test("REPL-6: a person reads it though no server has it, and what is pinned goes to the mesh's store", async () => {
    const before = await storedBytes();
    const read = (await mesh.ended(await launch("epochs: 6, pause: 0.1, stand: 0"))).trials[0];
    const pinned = (await mesh.ended(await launch("epochs: 6, pause: 0.1, stand: 0"))).trials[0];
    assert.deepEqual([read?.state, pinned?.state], ["completed", "completed"]);
    assert.ok((await storedBytes()) - before < mebibyte, "both lie at agents");
    assert.ok((await mesh.client.command("artifact-pin", { digest: pinned?.artifact ?? "" })).ok);
    const out = join(mesh.cli.folder, "read");
    await mesh.ok(LiveMesh.home, "artifact", "get", read?.artifact ?? "", "--out", out);
    // What a program left is a folder again.
    const sizes = readdirSync(out).map((name) => statSync(join(out, name)).size);
    assert.ok(Math.max(...sizes) >= checkpointMiB * mebibyte, `${out} has files of ${sizes.join()} bytes`);
    await until("what is pinned to be in the mesh's store", async (note) => {
      const bytes = (await storedBytes()) - before;
      note(bytes);
      return bytes > checkpointMiB * mebibyte || null;
    });
  });

  test("REPL-1: whoever runs it is killed at any moment: it goes on from what was acknowledged, each time", async () => {
    const sweep = await launch("epochs: 6, pause: 1.5, stand: 0");
    // One more and the trial has failed too often.
    const kills = 2;
    for (let kill = 0; kill < kills; kill++) {
      const attempts = kill + 1;
      const running = await mesh.trialThat(
        sweep,
        `attempt ${attempts}, gone on`,
        // Two that die at once take what only they had: one after the other.
        ({ attempts: all, resource, state }) =>
          all.length >= attempts &&
          state === "running" &&
          (kill === 0 || resource > (all.at(-1)?.fromResource ?? 0)),
      );
      const runner = running.attempts.at(-1)?.agent ?? "";
      await sleep(Math.random() * 4_000);
      const last = (await mesh.sweep(sweep)).trials[0];
      if (last?.state !== "running") break;
      await agents.get(runner)?.end("SIGKILL");
      const acknowledged = last.artifact === null ? 0 : last.resource;
      await join3(`spare-${kill}`);
      const next = await mesh.trialThat(
        sweep,
        `an attempt after that of ${runner}`,
        (trial) => trial.attempts.length > last.attempts.length || trial.state !== "running",
      );
      const from = next.attempts.at(-1)?.fromResource ?? 0;
      assert.ok(from >= acknowledged, `it went on from ${from}, and ${acknowledged} had been acknowledged`);
    }
    const [trial] = (await mesh.ended(sweep)).trials;
    assert.deepEqual([trial?.state, trial?.resource], ["completed", 6], JSON.stringify(trial?.attempts));
  });

  test("REPL-1: a third agent has it from those who hold it", async () => {
    const { maker, sweep } = await keptRunning();
    const holder = /held by agent (\S+) too/u.exec(agents.get(maker)?.said ?? "")?.[1] ?? assert.fail();
    // Only one that has none of it may go on.
    await mesh.cordon(holder, true);
    await agents.get(maker)?.end("SIGKILL");
    const [trial] = (await mesh.ended(sweep)).trials;
    assert.equal(trial?.state, "completed");
    const third = trial.attempts.at(-1)?.agent ?? "";
    assert.ok(third !== maker && third !== holder, third);
    const starts = (await startsOf(trial)).filter((from) => from >= 0);
    assert.ok((starts[1] ?? 0) >= 2, `it went on from ${JSON.stringify(starts)}`);
    assert.match(agents.get(third)?.said ?? "", new RegExp(`from 1 agent: ${holder}`, "u"));
    await mesh.cordon(holder, false);
  });
});

describe("an agent alone", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  before(async () => void (await mesh.up("--port", "0")));
  after(() => mesh.close());

  test("REPL-1: where nobody else can hold it, the mesh's store does", async () => {
    const folder = join(mesh.cli.folder, "alone");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "train.py"), script);
    writeFileSync(
      join(folder, "sweep.yaml"),
      `name: alone
command: [${JSON.stringify(python)}, train.py, "\${args}"]
objective: { metric: score, keep: max }
search: { method: random, trials: 1, seed: 1 }
parameters: { seed: 1, epochs: 2, pause: 0.1, stand: 0 }
`,
    );
    const ran = await mesh.cli.run(LiveMesh.home, "sweep", "run", join(folder, "sweep.yaml"));
    assert.equal(ran.code, 0, ran.err);
    const answer = await mesh.client.query("garbage", {});
    assert.ok(answer.ok && answer.value.storedBytes > checkpointMiB * mebibyte, JSON.stringify(answer));
  });
});
