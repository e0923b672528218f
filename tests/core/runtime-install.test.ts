/** Bringing in a native runtime, with stand-ins for npm, Python and the compiler: what is made, reused, refused, cut short. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { installRuntime, type InstallRequest } from "../../training/runtime/install-runtime.ts";
import { managedRuntimes } from "../../training/runtime/managed-runtime.ts";
import { removeRuntime } from "../../training/runtime/remove-runtime.ts";
import { readRuntimeRecords } from "../../training/runtime/runtime-record.ts";
import { cudaPackages } from "../../training/runtime/tensorflow-wheel.ts";
import { fakeToolchain, type FakeToolchain } from "../support/fake-toolchain.ts";
import { mainFile } from "../support/run-cli.ts";
import { until } from "../support/until.ts";

const skip = process.platform === "linux" ? false : "the wheel is used on Linux only";
const found = managedRuntimes.find(({ name }) => name === "tfjs-node");
assert.ok(found !== undefined);
const runtime = found;
const sound: InstallRequest["prove"] = () => Promise.resolve({ works: true, reason: null, device: "CPU" });

const made: FakeToolchain[] = [];
after(() => {
  for (const tools of made) tools.remove();
});

function toolchain(programs?: readonly string[]): FakeToolchain {
  const tools = fakeToolchain(programs);
  made.push(tools);
  return tools;
}

function install(
  tools: FakeToolchain,
  more: Readonly<Record<string, string>> = {},
  options: Partial<InstallRequest> = {},
) {
  return installRuntime({
    runtime,
    folder: tools.folder,
    environment: { ...tools.environment, ...more },
    signal: new AbortController().signal,
    say: () => undefined,
    prove: sound,
    ...options,
  });
}

async function refusal(tools: FakeToolchain, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const outcome = await install(tools, more);
  assert.ok(!outcome.ok, "it was brought in all the same");
  assert.doesNotMatch(outcome.refusal.message, /\n/u);
  assert.deepEqual(readRuntimeRecords(tools.folder), []);
  return outcome.refusal.message;
}

test(
  "RUNTIME-1: a runtime is in place only whole and proven, and a second install finds it there",
  { skip },
  async () => {
    const tools = toolchain();
    let provenIn = "";
    const outcome = await install(
      tools,
      {},
      {
        prove: (runtime, folder) => {
          provenIn = folder;
          assert.equal(runtime.backend, "tfjs-node");
          assert.equal(existsSync(join(tools.folder, "tfjs-node")), false, "in place before its proof");
          return sound(runtime, folder);
        },
      },
    );
    assert.ok(outcome.ok, outcome.ok ? "" : outcome.refusal.message);
    assert.match(provenIn, /staging/u);
    assert.equal(outcome.value.tensorflow, "2.21.0");
    assert.deepEqual(readdirSync(tools.folder), ["tfjs-node"]);
    const home = join(tools.folder, "tfjs-node", "node_modules", "@tensorflow", "tfjs-node");
    for (const path of ["lib/napi-v8/tfjs_binding.node", "deps/lib/libtensorflow.so.2.9.1", "deps/include"])
      assert.ok(existsSync(join(home, path)), path);
    assert.deepEqual(tools.calls().toSorted(), ["compile", "compile", "compile", "npm", "pip", "unpack"]);
    assert.ok((await install(tools)).ok);
    assert.deepEqual(tools.calls(), []);
    assert.deepEqual(readRuntimeRecords(tools.folder), [outcome.value]);
  },
);

test("RUNTIME-2: after a failure the next run goes on from what is whole", { skip }, async () => {
  const tools = toolchain();
  assert.match(
    await refusal(tools, { COMPILER_SAYS: "x.cc:1: error: no" }),
    /compiling.*x\.cc:1: error: no/u,
  );
  tools.calls();
  assert.ok((await install(tools)).ok);
  assert.deepEqual(tools.calls(), ["compile", "compile", "compile"]);
});

test(
  "RUNTIME-3: what fails its proof is not put in place, and is made anew from the wheel that was fetched",
  { skip },
  async () => {
    const tools = toolchain();
    const wrong = await install(
      tools,
      {},
      {
        prove: () => Promise.resolve({ works: false, reason: "2 + 2 gave 5", device: null }),
      },
    );
    assert.match(wrong.ok ? "" : wrong.refusal.message, /does not work here: 2 \+ 2 gave 5/u);
    assert.equal(existsSync(join(tools.folder, "tfjs-node")), false);
    tools.calls();
    assert.ok((await install(tools)).ok);
    assert.ok(!tools.calls().includes("pip"));
  },
);

test(
  "RUNTIME-4: what is missing on the machine is one sentence that says what would be right",
  { skip },
  async () => {
    assert.match(
      await refusal(toolchain(["npm", "python3"])),
      /no C\+\+ compiler on the path.*install g\+\+/u,
    );
    assert.match(await refusal(toolchain(["npm", "c++"])), /no Python 3 on the path.*TRIALMESH_PYTHON/u);
    assert.match(await refusal(toolchain(), { NO_PIP: "1" }), /python3 has no pip.*python3-pip/u);
    assert.match(await refusal(toolchain(["python3", "c++"])), /`npm install` is not installed/u);
    const offline = "NewConnectionError: Failed to establish a new connection";
    assert.match(await refusal(toolchain(), { PIP_SAYS: offline }), /`pip download .*check the network/u);
    assert.match(
      await refusal(toolchain(), { NPM_SAYS: "npm error code ENOTFOUND" }),
      /`npm install` failed.*ENOTFOUND/u,
    );
    for (const full of [
      { NPM_SAYS: "npm error ENOSPC" },
      { UNPACK_SAYS: "OSError: No space left on device" },
    ])
      assert.match(await refusal(toolchain(), full), /the disk of .* is full; free some space/u);
  },
);

test("RUNTIME-5: a wheel that does not unpack is fetched again by the next run", { skip }, async () => {
  const tools = toolchain();
  assert.match(await refusal(tools, { UNPACK_SAYS: "BadZipFile: Bad CRC-32" }), /Bad CRC-32/u);
  tools.calls();
  assert.ok((await install(tools)).ok);
  assert.ok(tools.calls().includes("pip"));
});

test(
  "RUNTIME-6: an interrupted install says so, ends what it started, and is gone on with",
  { skip },
  async () => {
    const tools = toolchain();
    const stop = new AbortController();
    const running = install(tools, { NPM_SLEEP: "30" }, { signal: stop.signal });
    await until("the file", () => existsSync(join(tools.folder, ".staging-tfjs-node", "deps")) || null);
    stop.abort();
    const outcome = await running;
    assert.match(outcome.ok ? "" : outcome.refusal.message, /was interrupted; run it again/u);
    tools.calls();
    assert.ok((await install(tools)).ok);
    assert.deepEqual(tools.calls().toSorted(), ["compile", "compile", "compile", "npm"]);
    assert.deepEqual(readdirSync(tools.folder), ["tfjs-node"]);
  },
);

test("RUNTIME-7: killed outright it leaves nothing that the next run trips over", { skip }, async () => {
  const tools = toolchain();
  const child = spawn(process.execPath, [mainFile, "runtime", "install", "tfjs-node"], {
    env: { ...tools.environment, TRIALMESH_RUNTIME: tools.folder, NPM_SLEEP: "30" },
    stdio: "ignore",
  });
  await until("the file", () => existsSync(join(tools.folder, ".staging-tfjs-node", "deps")) || null);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.deepEqual(readRuntimeRecords(tools.folder), []);
  assert.ok((await install(tools)).ok);
  assert.deepEqual(readdirSync(tools.folder), ["tfjs-node"]);
});

test(
  "RUNTIME-8: two installs at once: the second waits, says so, and finds the first one's work",
  { skip },
  async () => {
    const tools = toolchain();
    const said: string[] = [];
    const first = install(tools, { NPM_SLEEP: "0.3" });
    await until("the file", () => existsSync(join(tools.folder, ".lock-tfjs-node")) || null);
    const second = install(tools, {}, { say: (line) => said.push(line) });
    const outcomes = await Promise.all([first, second]);
    assert.ok(outcomes.every((outcome) => outcome.ok));
    assert.equal(tools.calls().filter((call) => call === "npm").length, 1);
    assert.match(
      said[0] ?? "",
      new RegExp(`another install of tfjs-node is at work \\(process ${process.pid}\\)`, "u"),
    );
  },
);

test(
  "RUNTIME-9: removal takes a runtime and its leftovers, and no folder that is somebody else's",
  { skip },
  async () => {
    const tools = toolchain();
    assert.deepEqual(await removeRuntime(runtime, tools.folder), { ok: true, value: false });
    await refusal(tools, { COMPILER_SAYS: "error: no" });
    assert.deepEqual(await removeRuntime(runtime, tools.folder), { ok: true, value: true });
    assert.ok((await install(tools)).ok);
    assert.deepEqual(await removeRuntime(runtime, tools.folder), { ok: true, value: true });
    assert.deepEqual(readdirSync(tools.folder), []);
    mkdirSync(join(tools.folder, "tfjs-node"));
    writeFileSync(join(tools.folder, "tfjs-node", "mine.txt"), "keep");
    assert.equal((await removeRuntime(runtime, tools.folder)).ok, false);
    assert.match(await refusal(tools), /is not of trialmesh's making/u);
    assert.equal(readFileSync(join(tools.folder, "tfjs-node", "mine.txt"), "utf8"), "keep");
  },
);

test("RUNTIME-10: the CUDA libraries are those that the wheel asks for, and no others", () => {
  const metadata = [
    "Requires-Dist: numpy>=1.26.0",
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
    "Requires-Dist: nvidia-cudnn-cu12 (==9.3.0.75) ; extra == 'and-cuda'",
    'Requires-Dist: nvidia-other; extra == "gcs"',
  ].join("\n");
  assert.deepEqual(cudaPackages(metadata), [
    "nvidia-cublas-cu12<13.0,>=12.5.3.2",
    "nvidia-cudnn-cu12==9.3.0.75",
  ]);
});

test(
  "RUNTIME-14: tfjs-node's own download is taken where its host answers, and left where it fails or is not proven",
  { skip },
  async () => {
    const host = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
    after(() => host.close());
    const address = host.address();
    assert.ok(typeof address === "object" && address !== null);
    const near = { TFJS_NODE_BASE_URI: `http://127.0.0.1:${address.port}/libtensorflow-` };

    const standard = toolchain();
    const taken = await install(standard, near);
    assert.equal(taken.ok && taken.value.tensorflow, "2.9.1");
    assert.deepEqual(standard.calls(), ["npm", "standard"]);

    const failing = toolchain();
    const built = await install(failing, { ...near, STANDARD_SAYS: "cut short" });
    assert.equal(built.ok && built.value.tensorflow, "2.21.0");

    const wrong = toolchain();
    let proofs = 0;
    const proven = await install(wrong, near, {
      prove: () => Promise.resolve({ works: ++proofs > 1, reason: "too old a card", device: null }),
    });
    assert.equal(proven.ok && proven.value.source, "pip wheel");
  },
);
