/** PROBE-1, PROBE-13: a real probe while programs that only count take every processor twice over. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import test from "node:test";
import { probeBackend, type BackendProbe } from "../../agent/capability/backend-probe.ts";
import { loadMax } from "../../agent/capability/others-share.ts";

const kinds = {
  sparse: "text-classification/fasttext",
  wasm: "tabular/mlp",
} as const;
/** So many on each processor; a probe that goes by the clock on the wall finds about a third of the machine's speed. */
const busyEach = 2;
/** What others leave in the caches, and a sibling on the same core, are no part of it. */
const ratioMin = 0.55;

async function underLoad<T>(run: () => Promise<T>): Promise<T> {
  const busy = Array.from({ length: busyEach * availableParallelism() }, () =>
    // Ends by itself where this test cannot end it.
    spawn(process.execPath, ["-e", "const end = Date.now() + 120000; while (Date.now() < end);"], {
      stdio: "ignore",
    }),
  );
  try {
    return await run();
  } finally {
    for (const one of busy) one.kill("SIGKILL");
  }
}

function only({ measured, reason }: BackendProbe): BackendProbe["measured"][number] {
  assert.equal(reason, null);
  return measured[0] ?? assert.fail("it was measured");
}

for (const name of ["sparse", "wasm"] as const) {
  test(`PROBE-1, PROBE-13: ${name} is as fast under load as without, and is said to have been measured under load`, async () => {
    // That it comes to an end is not what is asked here.
    const options = { kinds: [kinds[name]], silenceMs: 120_000, wholeMs: 240_000 };
    const quiet = only(await probeBackend(name, options));
    const loaded = await underLoad(async () => only(await probeBackend(name, options)));
    assert.ok(loaded.load > 0.5, `others had ${loaded.load} of it`);
    assert.ok(loaded.load > loadMax);
    const ratio = loaded.examplesPerSecond / quiet.examplesPerSecond;
    assert.ok(ratio > ratioMin && ratio < 1 / ratioMin, `${ratio} of the speed`);
  });
}
