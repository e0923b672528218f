/** A short run of the kill campaign (`tests/campaign/kills.ts`). */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runKills } from "../campaign/kills/run-kills.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const lingerMs = 2_000;

// Commands that were killed in the middle may leave timers of their patience behind.
after(() => setTimeout(() => process.exit(), lingerMs).unref());

test(
  "KILL-1: whatever is killed, stopped, cut off or filled, nothing is lost, doubled or overspent, and every sweep ends",
  { skip: process.platform === "linux" ? skipWithoutNats : "only Linux shows whose a process is" },
  async (context) => {
    const { befallen, folder, sweeps, trials, violations } = await runKills({
      count: 25,
      seed: 5,
      everyMs: 400,
      onMisfortune: (number, what) => context.diagnostic(`${number}: ${what}`),
    });
    assert.deepEqual(violations, [], `kept in ${folder}`);
    assert.ok(Object.keys(befallen).length >= 5, "of several kinds");
    assert.ok(sweeps > 0 && trials > 0);
  },
);
