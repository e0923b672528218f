import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findPackage, installCommand, runtimeFolder } from "../../training/runtime/managed-package.ts";

test("a runtime is found in its own folder, where the project does not have it, and loads from there", () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-runtime-"));
  const before = process.env["TRIALMESH_RUNTIME"];
  process.env["TRIALMESH_RUNTIME"] = folder;
  try {
    assert.equal(findPackage("@trialmesh-test/native"), null);
    const home = join(folder, "node_modules", "@trialmesh-test", "native");
    mkdirSync(home, { recursive: true });
    writeFileSync(
      join(home, "package.json"),
      JSON.stringify({ name: "native", version: "4.22.0", main: "i.cjs" }),
    );
    writeFileSync(join(home, "i.cjs"), "module.exports = { answer: 42 };");
    const found = findPackage("@trialmesh-test/native");
    assert.equal(found?.version, "4.22.0");
    assert.deepEqual(found?.load(), { answer: 42 });
  } finally {
    if (before === undefined) delete process.env["TRIALMESH_RUNTIME"];
    else process.env["TRIALMESH_RUNTIME"] = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

test("the project's own packages come first", () => {
  assert.notEqual(findPackage("@tensorflow/tfjs-core"), null);
});

test("without a setting the runtime's folder is the user's own cache", () => {
  assert.match(runtimeFolder({}), /\.cache.trialmesh.runtime$/);
  assert.equal(runtimeFolder({ TRIALMESH_RUNTIME: "/elsewhere" }), "/elsewhere");
});

test("a runtime of its own folder comes before one in the project, and what it brings along does not", () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-runtime-"));
  const before = process.env["TRIALMESH_RUNTIME"];
  process.env["TRIALMESH_RUNTIME"] = folder;
  try {
    for (const [runtime, name] of [
      ["tfjs-node", "@tensorflow/tfjs-node"],
      ["webgpu", "@tensorflow/tfjs-core"],
    ] as const) {
      const home = join(folder, runtime, "node_modules", ...name.split("/"));
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, "package.json"), JSON.stringify({ version: "0.0.1" }));
    }
    assert.equal(findPackage("@tensorflow/tfjs-node")?.version, "0.0.1");
    assert.notEqual(findPackage("@tensorflow/tfjs-core")?.version, "0.0.1");
  } finally {
    if (before === undefined) delete process.env["TRIALMESH_RUNTIME"];
    else process.env["TRIALMESH_RUNTIME"] = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

test("the command that brings a package in names its runtime", () => {
  assert.equal(installCommand("@tensorflow/tfjs-node"), "trialmesh runtime install tfjs-node");
  assert.equal(installCommand("@tensorflow/tfjs-backend-webgpu"), "trialmesh runtime install webgpu");
});
