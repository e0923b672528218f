/**
 * Native TensorFlow for the tests, by the command people use, and one measurement of the machine with it. Where it
 * cannot be had that is said, and the tests that need it are skipped with that reason; a runtime that was put there
 * by hand is left as it is.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { capture, root, say } from "./step.mjs";

const installTimeoutMs = 300_000;
const probeTimeoutMs = 300_000;

/** `.cache/trialmesh/runtime` in the user's own folder, as `training/runtime/managed-package.ts` has it. */
function folder() {
  return process.env.TRIALMESH_RUNTIME || join(homedir(), ".cache", "trialmesh", "runtime");
}

/** Agents that find nothing remembered measure for themselves. */
export async function prepareProbe(node) {
  await capture(node, [join(root, "scripts", "probe.mjs")], {
    timeoutMs: probeTimeoutMs,
    stderr: "inherit",
  });
}

export async function prepareRuntime(node) {
  const byHand = join(folder(), "node_modules", "@tensorflow", "tfjs-node", "package.json");
  if (existsSync(byHand)) return;
  const present = existsSync(join(folder(), "tfjs-node", "trialmesh-runtime.json"));
  if (!present) say("native TensorFlow: installing");
  const started = performance.now();
  const main = join(root, "dist", "cli", "main.js");
  const installed = await capture(node, [main, "runtime", "install", "tfjs-node", "--json"], {
    timeoutMs: installTimeoutMs,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (installed.code === 0) {
    if (!present) say(`native TensorFlow: ready (${seconds} s)`);
    return;
  }
  say(`native TensorFlow could not be had, and tests that need it are skipped: ${reason(installed)}`);
}

function reason({ stdout, output }) {
  try {
    return JSON.parse(stdout).refusal.message;
  } catch {
    return output.trim().split("\n").at(-1) || "it said nothing";
  }
}
