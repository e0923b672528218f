import assert from "node:assert/strict";
import { test } from "node:test";
import { openPolicy } from "../../protocol/capability.ts";
import { explainMismatch, match } from "../../protocol/match.ts";
import { nearestName } from "../../protocol/name.ts";
import { requirementSchema, type Requirement } from "../../protocol/requirement.ts";
import { computeCapabilityOf, parseComputeCapabilities } from "../../agent/capability/compute-capability.ts";
import { capability } from "../support/fold.ts";

const policy = openPolicy(1);
const gpu = { vendor: "NVIDIA", model: "RTX 4090", vramGiB: 24, computeCapability: 8.9 };
const here = capability({ alpha: 1 }, { gpus: [gpu] });

const table: readonly (readonly [Requirement, string])[] = [
  [{}, ""],
  [{ cores: 4, memGiB: 8, os: ["linux"], cpu: ["avx2"] }, ""],
  [{ cores: 5 }, "cores: needs 5, has 4"],
  [{ memGiB: 9 }, "memGiB: needs 9, has 8"],
  [{ os: ["darwin", "win32"] }, "os: needs darwin or win32, has linux"],
  [{ cpu: ["avx512"] }, "cpu: needs avx512, has avx2"],
  [{ backend: ["webgpu"] }, "backend: needs webgpu, has cpu"],
  [{ gpu: { count: 1, vendor: "nvidia", vramGiB: 24 } }, ""],
  [{ gpu: { count: 2 } }, "gpu: needs 2 GPU, has NVIDIA RTX 4090"],
  [{ gpu: { count: 1, vramGiB: 48 } }, "gpu.vramGiB: needs 48, has 24"],
  [{ labels: { room: "attic" } }, "labels.room: needs attic, has not set"],
  [{ agents: { only: ["mac"] } }, "agents.only: needs mac, has box"],
  [{ agents: { not: ["box"] } }, "agents.not: needs not box, has box"],
];

for (const [requirement, reason] of table) {
  test(`MATCH ${JSON.stringify(requirement)} ${reason === "" ? "fits" : reason}`, () => {
    const found = match({ agent: "box", requester: "ada", kind: "work/alpha", requirement }, here, policy);
    assert.equal(found.map(explainMismatch).join("; "), reason);
  });
}

test("MATCH is two-sided: the owner's policy refuses with its own reasons", () => {
  const request = { agent: "box", requester: "ada", kind: "work/alpha", requirement: {} };
  const found = match(request, here, { ...policy, requesters: ["bob"], tasks: ["other"], slots: 0 });
  assert.deepEqual(
    found.map(({ predicate }) => predicate),
    ["policy.requesters", "policy.tasks", "policy.slots"],
  );
});

test("MATCH: a backend whose gradients failed in the probe does not count", () => {
  const broken = {
    ...here,
    backends: [
      { name: "cpu" as const, works: false, reason: "wrong sums", version: null, dtypes: ["f32" as const] },
    ],
  };
  const request = { agent: "box", requester: "ada", kind: "work/alpha", requirement: {} };
  assert.equal(match(request, broken, policy).length, 1);
});

test("a requirement that names an unknown field or an impossible range is refused", () => {
  assert.equal(requirementSchema.safeParse({ vram: 3 }).success, false);
  assert.equal(requirementSchema.safeParse({ cores: 0 }).success, false);
  assert.equal(requirementSchema.safeParse({ memGiB: -1 }).success, false);
});

test("nearest names are found for slips and not made up for strangers", () => {
  assert.equal(nearestName("fastext", ["linear", "fasttext"]), "fasttext");
  assert.equal(nearestName("eat", ["max", "min", "eta"]), "eta");
  assert.equal(nearestName("xyzzyplugh", ["linear", "fasttext"]), null);
});

test("a processor's features are known by what people call them", () => {
  const x64 = capability({ alpha: 1 }, { cpuFeatures: ["avx2", "avx512f", "amx_tile"] });
  const arm = capability({ alpha: 1 }, { arch: "arm64", cpuFeatures: [] });
  const fits = (cpu: string[], of: typeof x64) =>
    match({ agent: "box", requester: "ada", kind: "work/alpha", requirement: { cpu } }, of, policy).length ===
    0;
  assert.ok(fits(["avx512", "amx", "avx2"], x64));
  assert.ok(fits(["neon"], arm));
  assert.ok(!fits(["neon"], x64) && !fits(["avx2"], arm));
});

test("a number format and a compute capability must be there on the card and the backend", () => {
  const rig = capability({ alpha: 1 }, { gpus: [gpu] });
  const missing = (requirement: Requirement) =>
    match({ agent: "box", requester: "ada", kind: "work/alpha", requirement }, rig, policy).map(
      explainMismatch,
    );
  assert.deepEqual(missing({ dtype: ["f32"], gpu: { count: 1, computeCapability: 8 } }), []);
  assert.deepEqual(missing({ dtype: ["bf16"] }), ["dtype: needs bf16, has f32 on cpu"]);
  assert.deepEqual(missing({ gpu: { count: 1, computeCapability: 9 } }), [
    "gpu.computeCapability: needs 9, has 8.9",
  ]);
  assert.deepEqual(
    [...parseComputeCapabilities("NVIDIA GeForce RTX 4090, 8.9\nTesla T4, 7.5\nodd line\n")],
    [
      ["NVIDIA GeForce RTX 4090", 8.9],
      ["Tesla T4", 7.5],
    ],
  );
  assert.equal(computeCapabilityOf("GeForce RTX 4090", new Map([["NVIDIA GeForce RTX 4090", 8.9]])), 8.9);
});
