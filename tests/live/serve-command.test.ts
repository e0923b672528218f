/** A model that only its own program can answer with, on a real mesh: its `serve` command is run where that is allowed, kept running, and ended. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { processesUnder } from "../support/process-tree.ts";
import { CliMesh, type CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const hasPython = spawnSync("python3", ["-c", "import json"]).status === 0;
const skip = skipWithoutNats === false ? (hasPython ? false : "no python3 on the path") : skipWithoutNats;

const train = `import argparse, os, pickle
parser = argparse.ArgumentParser()
parser.add_argument("--bias", type=int)
bias = parser.parse_args().bias
os.makedirs("out", exist_ok=True)
with open("out/model.pkl", "wb") as file:
    pickle.dump({"bias": bias}, file)
print(f"score={bias}", flush=True)
`;
/** Adds its bias to each number; forks a child that would outlive it. */
const serve = `import argparse, json, os, pickle, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
port = parser.parse_args().port
model = pickle.load(open(os.path.join(os.environ["TRIALMESH_MODEL_DIR"], "model.pkl"), "rb"))
subprocess.Popen(["sleep", "600"])
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, {})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if body.get("die"):
            os._exit(7)
        if "inputs" not in body:
            return self.answer(400, {"error": "inputs are missing"})
        self.answer(200, {"path": self.path, "version": os.environ["TRIALMESH_VERSION"], "predictions": [one + model["bias"] for one in body["inputs"]]})
    def log_message(self, *words):
        pass
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
`;
const sweep = (bias: number) => `name: added-${bias}
command: [python3, train.py, "\${args}"]
serve: [python3, serve.py, --port, "\${port}"]
files: [train.py, serve.py]
output: out
register: {model: added, alias: champion}
objective: {metric: score, keep: max}
search: {method: grid, trials: 1}
parameters: {bias: [${bias}]}
`;
const answerSchema = z.object({ path: z.string(), version: z.string(), predictions: z.array(z.number()) });

describe("MODEL-RUN-5: a model's own program answers with it where that is allowed", { skip }, () => {
  const mesh = new CliMesh();
  let serving: CliProcess;
  let url = "";

  const temporary = join(mesh.folder, "tmp");

  before(async () => {
    mkdirSync(temporary);
    mesh.ofHome.set("one", { TMPDIR: temporary });
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "1", "--programs", "own");
    await up.saidLine(/mesh mesh is up/);
    mesh.write("train.py", train);
    mesh.write("serve.py", serve);
    await register(10);
  });
  after(() => mesh.close());

  async function register(bias: number): Promise<void> {
    const file = mesh.write(`added-${bias}.yaml`, sweep(bias));
    const { code, err, out } = await mesh.runProcess("one", "sweep", "run", file);
    assert.equal(code, 0, `${out}${err}`);
  }

  async function ask(path: string, body: object) {
    const answer = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, value: await answer.json() };
  }

  test("nobody's program is run by who did not say so, and what would is named", async () => {
    const refused = await mesh.runProcess("one", "serve", "added@champion", "--listen", "127.0.0.1:0");
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /added@1 is answered with by its own program \(python3 serve\.py.*--programs own/,
    );
    const predicted = await mesh.runProcess("one", "predict", "added@1", "--text", "x");
    assert.match(predicted.err, /by its own program alone.*trialmesh serve added@1 --programs own/);
    const shown = await mesh.run("one", "model", "show", "added@1");
    assert.match(shown.out, /takes\s+not known here: added@1 is answered with by its own program alone/);
  });

  test("it answers every protocol's bodies, with the version in the headers, and its own refusals", async () => {
    serving = mesh.start("one", "serve", "added@champion", "--listen", "127.0.0.1:0", "--programs", "own");
    url = await serving.saidLine(/serving at (\S+)/);
    for (const [path, asked] of [
      ["/invocations", "/invocations"],
      ["/predict/added", "/predict"],
      ["/v2/models/added/infer", "/v2/models/added/infer"],
    ] as const) {
      const { headers, status, value } = await ask(path, { inputs: [1, 2] });
      assert.equal(status, 200);
      assert.deepEqual(answerSchema.parse(value), { path: asked, version: "1", predictions: [11, 12] });
      assert.match(headers.get("x-trialmesh-answer") ?? "", /^added@1~/);
    }
    const wrong = await ask("/invocations", { nothing: 1 });
    assert.deepEqual([wrong.status, wrong.value], [400, { error: "inputs are missing" }]);
  });

  test("it is started again when it dies, and nobody is answered with nothing meanwhile", async () => {
    const died = await ask("/invocations", { die: true });
    assert.equal(died.status, 503);
    assert.match(JSON.stringify(died.value), /does not answer just now/);
    await until("an answer", async (note) => {
      const { status, value } = await ask("/invocations", { inputs: [5] });
      note(value);
      return status === 200 ? true : null;
    });
    assert.match(serving.said, /added@1: its program .*7.*started again/);
  });

  test("a better version's program takes over, and the old one's ends with its children; so do all at the end", async () => {
    const before = processesUnder(serving.pid);
    await register(20);
    await until("version 2", async (note) => {
      const { status, value } = await ask("/invocations", { inputs: [1] });
      note(value);
      assert.equal(status, 200);
      return answerSchema.parse(value).version === "2" ? true : null;
    });
    const mine = () => processesUnder(serving.pid);
    const sleeps = (pids: readonly number[]) => pids.filter((pid) => existsSync(`/proc/${pid}`));
    assert.ok(before.length > 0);
    await until("the old program's end", () => (mine().length <= before.length ? true : null));
    const all = mine();
    assert.equal(await serving.end(), 0);
    await until("no process", () =>
      sleeps(all.filter((pid) => pid !== serving.pid)).length === 0 ? true : null,
    );
    assert.deepEqual(
      readdirSync(temporary).filter((name) => name.startsWith("trialmesh-model-")),
      [],
    );
  });
});
