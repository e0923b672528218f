/** Networks kernel by kernel, on the backends that are always there. On libtensorflow: `live/network-native.test.ts`. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Program } from "../../training/network/graph.ts";
import { createNetwork } from "../../training/network/network.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { checkNetwork } from "../support/network-check.ts";

checkNetwork("cpu");
checkNetwork("wasm");

test("NET-10: a backend without TensorFlow.js is refused in one sentence", () => {
  const program: Program = {
    batch: 1,
    lengths: [0],
    build: () => {
      throw new Error("it must not be built");
    },
  };
  const made = createNetwork(sparseBackend, { program, seed: 1, optimizer: { kind: "adam" } });
  assert.ok(!made.ok);
  assert.match(made.refusal.message, /^backend sparse runs no networks/);
});
