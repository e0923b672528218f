/**
 * What programs need to be installed, on a mesh of two machines of which one has the real pandas: found out by a failure, stated
 * beforehand, and installed while the agent runs. pip brings pandas in; where it cannot, that part is skipped and says why.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { askPython } from "../../agent/program/ask-python.ts";
import { sweepWhyView } from "../../protocol/why-view.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { bareVenv, putPackage, venvWith, type PythonHome } from "../support/python-home.ts";
import { until } from "../support/until.ts";

const canVenv = spawnSync("python3", ["-c", "import venv"]).status === 0;
const skip = canVenv ? skipWithoutNats : "no python3 with venv on the path";
const pandas = canVenv && skip === false ? venvWith("pandas") : { skip: "no python3" };
const skipPandas = "skip" in pandas ? pandas.skip : false;

const pandasScript = `import argparse, time
import pandas
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
options = parser.parse_args()
time.sleep(0.3)
print(f"score={pandas.Series([options.x, 1.0]).mean()}", flush=True)
`;

const laterScript = `import sys, later_package
print("score=" + str(later_package.value), flush=True)
`;

describe("NEED-4: what a program needs of a machine's Python", { skip }, () => {
  const mesh = new LiveMesh();
  let bare: PythonHome;

  const sweepOf = (name: string, script: string, text: string): string => {
    const folder = join(mesh.cli.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "train.py"), script);
    const search = "search: { method: random, trials: 6, seed: 1 }";
    const common = `objective: { metric: score }\n${search}\nparameters: { x: { distribution: uniform, min: 0, max: 1 } }`;
    writeFileSync(
      join(folder, "sweep.yaml"),
      `name: ${name}\ncommand: [python3, train.py, "\${args}"]\n${common}\n${text}`,
    );
    return join(folder, "sweep.yaml");
  };
  const workers = async (sweep: string) =>
    (await mesh.sweep(sweep)).trials.flatMap(({ attempts }) => attempts.map(({ agent }) => agent));
  const has = async (agent: string) => {
    const answer = await mesh.client.query("agent", { agent });
    assert.ok(answer.ok);
    return answer.value.packages ?? {};
  };

  const refusal = async (file: string): Promise<string> => {
    const { code, err } = await mesh.cli.run(LiveMesh.home, "sweep", "run", file);
    assert.equal(code, 1, err);
    return err.trimEnd().split("\n").at(-1) ?? "";
  };

  before(async () => {
    bare = bareVenv(join(mesh.cli.folder, "venv-bare"));
    mesh.cli.ofHome.set(LiveMesh.home, { TRIALMESH_PYTHON: bare.python });
    await mesh.up("--port", "0", "--slots", "2");
    if ("skip" in pandas) return;
    mesh.cli.ofHome.set("full", { TRIALMESH_PYTHON: pandas.python });
    await mesh.joinAgent("full", "--slots", "1", "--programs", "any");
  });
  after(() => mesh.close());

  test("an agent says what its Python has installed", { skip: skipPandas }, async () => {
    const packages = await has("full");
    assert.match(packages["pandas"] ?? "", /^\d+\./);
    assert.ok(Object.hasOwn(packages, "python-dateutil"), "names in their normal form");
    assert.deepEqual(Object.keys(await has(LiveMesh.home)), []);
    const { out } = await mesh.ok(LiveMesh.home, "agents", "full");
    assert.match(out, /^pandas \d+\./m);
    const all = await mesh.ok(LiveMesh.home, "agents");
    assert.match(all.out, /full has Python 3\.\S+ with \d+ packages/);
  });

  test(
    "LACK-1: without `needs` all trials complete, and the machine without is marked",
    { skip: skipPandas },
    async () => {
      const { code, err } = await mesh.cli.run(
        LiveMesh.home,
        "sweep",
        "run",
        sweepOf("found", pandasScript, ""),
      );
      assert.equal(code, 0, err);
      const { trials } = await mesh.sweep("s1");
      assert.deepEqual(
        trials.map(({ state }) => state),
        Array(6).fill("completed"),
      );
      const { out } = await mesh.ok(LiveMesh.home, "agents");
      assert.match(out, /one lacks the Python module "pandas", which s1 needs/);
    },
  );

  test(
    "with `needs` it is never given one, and `why` counts and names it",
    { skip: skipPandas },
    async () => {
      const file = sweepOf("stated", pandasScript, "needs: { python: [pandas, 'numpy>=1'] }\n");
      const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
      const sweep = out.trim();
      const why = await mesh.ok(LiveMesh.home, "sweep", "why", sweep, "--json");
      const [model] = sweepWhyView.parse(JSON.parse(why.out)).models;
      const view = await mesh.sweep(sweep);
      const isWaiting = view.trials.some(({ state }) => state === "queued");
      if (isWaiting)
        assert.match(
          model?.sentence ?? "",
          /1 of 2 agents lacks what it needs of Python: one needs pandas, has no pandas/,
        );
      const { trials } = await mesh.ended(sweep);
      assert.deepEqual(
        trials.map(({ state }) => state),
        Array(6).fill("completed"),
      );
      assert.deepEqual(new Set(await workers(sweep)), new Set(["full"]));
    },
  );

  test("NEED-6: where no programs run, what is installed is told to nobody", async () => {
    mesh.cli.ofHome.set("quiet", { TRIALMESH_PYTHON: bare.python });
    const quiet = await mesh.joinAgent("quiet", "--slots", "1", "--programs", "none");
    const answer = await mesh.client.query("agent", { agent: "quiet" });
    assert.ok(answer.ok);
    assert.deepEqual([answer.value.packages, answer.value.agent.packages], [null, null]);
    assert.match(answer.value.agent.python ?? "", /^3\./);
    await quiet.end();
  });

  test("what no machine has is refused before anything runs, and says who comes nearest", async () => {
    const file = sweepOf("never", laterScript, "needs: { python: ['later-package>=2'] }\n");
    assert.match(
      await refusal(file),
      /no known agent can run .* lacks python: needs later-package>=2, has no later-package/,
    );
  });

  test("NEED-6: what is installed while an agent runs is told, and lifts what it was found to lack", async () => {
    const found = sweepOf("later", laterScript, "needs: { agents: { only: [one] } }\n");
    const { out } = await mesh.cli.run(LiveMesh.home, "sweep", "run", found, "--detach");
    const failed = out.trim();
    await mesh.ended(failed);
    const lacksOf = async () => (await mesh.mesh()).agents.find(({ agent }) => agent === "one")?.lacks ?? [];
    assert.ok((await lacksOf()).some(({ what }) => what.includes("later_package")));

    putPackage(bare, "later_package", "1.5.0", "value = 1\n");
    await until("the package to be told", async () => (await has("one"))["later-package"] ?? null);
    assert.deepEqual(await lacksOf(), []);
    const older = sweepOf("older", laterScript, "needs: { python: ['later-package>=2'] }\n");
    assert.match(await refusal(older), /has later-package 1\.5\.0/);
    const fits = sweepOf("fits", laterScript, "needs: { python: ['later.package~=1.2'] }\n");
    const run = await mesh.cli.run(LiveMesh.home, "sweep", "run", fits);
    assert.equal(run.code, 0, run.err);

    rmSync(join(bare.sitePackages, "later_package-1.5.0.dist-info"), { recursive: true, maxRetries: 5 });
    await until("the package to be gone", async () =>
      Object.hasOwn(await has("one"), "later-package") ? null : true,
    );
    assert.match(await refusal(fits), /has no later-package/);
  });

  test("`sweep local` asks its own Python before anything runs", async () => {
    const file = sweepOf("here", laterScript, "needs: { python: [later_package] }\n");
    const { code, err } = await mesh.cli.run(LiveMesh.home, "sweep", "local", file);
    assert.equal(code, 1);
    assert.match(
      err,
      /needs\.python: it needs later-package, and this machine has no later-package; `.*bin\/python -m pip install "later_package"`/,
    );
    putPackage(bare, "later-package", "3.0", "value = 2\n");
    const again = await mesh.cli.run(LiveMesh.home, "sweep", "local", file);
    assert.equal(again.code, 0, again.err);
  });

  test("NEED-7: a Python that hangs is given up, and one whose child holds its output is not waited for", async () => {
    const script = (name: string, text: string) => {
      const path = join(mesh.cli.folder, name);
      writeFileSync(path, `#!/bin/sh\n${text}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    const hangs = await askPython(script("hangs", "sleep 600"), process.env, 300);
    assert.deepEqual(hangs, { facts: { python: null }, watched: [], late: true });
    const leaves = await askPython(script("leaves", `sleep 600 &\nexec ${bare.python} "$@"`), process.env);
    assert.equal(leaves.late, false);
    assert.match(leaves.facts.python ?? "", /^3\./);
    const none = await askPython(join(mesh.cli.folder, "nowhere"), process.env);
    assert.deepEqual(none, { facts: { python: null }, watched: [], late: false });
  });
});
