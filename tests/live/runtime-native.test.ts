/** Native runtimes as they stand on this machine: what `runtime install` brought in really trains. Skipped where there are none. */
import assert from "node:assert/strict";
import test from "node:test";
import { probeBackend } from "../../agent/capability/backend-probe.ts";
import { findPackage } from "../../training/runtime/managed-package.ts";
import { runCli } from "../support/run-cli.ts";

const kinds = ["text-classification/textcnn"];
const lacks = (name: string, runtime: string): string | false =>
  findPackage(name) === null
    ? `${name} is not here; \`trialmesh runtime install ${runtime}\` brings it in`
    : false;

test(
  "RUNTIME-11: TensorFlow itself differentiates and trains here, and says what it is",
  { skip: lacks("@tensorflow/tfjs-node", "tensorflow") },
  async () => {
    const result = await probeBackend("tfjs-node", { kinds });
    assert.equal(result.reason, null);
    assert.ok(result.works && result.measured.length === 1);
    assert.match(result.device ?? "", /^TensorFlow \d+\.\d+\.\d+, CPU$/u);
  },
);

test(
  "RUNTIME-12: WebGPU is used on a card only, unless a test asks for the processor's own drawing",
  { skip: lacks("webgpu", "webgpu") },
  async (t) => {
    const plain = await probeBackend("webgpu", { kinds });
    if (plain.reason?.startsWith("no graphics card")) return t.skip(plain.reason);
    if (plain.sound) return;
    assert.match(plain.reason ?? "", /only a software adapter/u);
    const allowed = await probeBackend("webgpu", {
      kinds,
      environment: { TRIALMESH_WEBGPU_SOFTWARE: "1" },
    });
    assert.ok(allowed.sound, allowed.reason ?? "");
  },
);

test("RUNTIME-13: the list of runtimes says of each whether it is here; a name there is not is refused", async () => {
  const listed = await runCli(["runtime", "ls"], { TRIALMESH_RUNTIME: "/nowhere/at/all" });
  assert.equal(listed.code, 0);
  assert.match(listed.out, /tfjs-node-gpu +- +- +not installed/u);
  const removed = await runCli(["runtime", "remove", "webgpu"], { TRIALMESH_RUNTIME: "/nowhere/at/all" });
  assert.equal(removed.code, 1);
  assert.match(removed.err, /webgpu is not in \/nowhere\/at\/all/u);
  assert.equal((await runCli(["runtime", "install", "torch"])).code, 2);
});
