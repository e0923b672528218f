// The clock of test deadlines: on a machine that is busy with other things it goes slowly, else as the wall's.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Pace } from "../support/pace.ts";
import { until, within } from "../support/until.ts";

const canPin = spawnSync("taskset", ["-c", "0", "true"]).status === 0;

test(
  "PACE-1: for one of several that share a processor it goes as slowly as its share is small",
  { skip: !canPin && "needs taskset" },
  async () => {
    const spin = () =>
      spawn("taskset", ["-c", "0", process.execPath, "-e", "for (;;);"], { stdio: "ignore" });
    const children = [spin(), spin(), spin(), spin()];
    try {
      const [child] = children;
      assert.ok(child?.pid !== undefined);
      await sleep(300);
      const from = performance.now();
      const pace = new Pace(child.pid);
      await sleep(1_000);
      const share = pace.elapsed() / (performance.now() - from);
      assert.ok(share < 0.6, `${share} of the wall's time`);
    } finally {
      for (const child of children) child.kill("SIGKILL");
    }
  },
);

test("PACE-2: where nobody wants a processor it goes as the wall's", async () => {
  const child = spawn("sleep", ["60"]);
  try {
    // Until it sleeps it wants a processor, and on a busy machine waits for it.
    for (let round = 1; ; round++) {
      const from = performance.now();
      const pace = new Pace(child.pid);
      await sleep(200);
      const passed = pace.elapsed();
      assert.ok(passed <= performance.now() - from, `${passed} ms`);
      if (passed >= 199) break;
      assert.ok(round < 50, `${passed} ms`);
    }
  } finally {
    child.kill("SIGKILL");
  }
});

test("UNTIL-1: what changes is waited for, what does not is given up with what was last seen", async () => {
  let turns = 0;
  const changing = until(
    "the end",
    (note) => {
      note(++turns);
      return turns === 12 || null;
    },
    300,
  );
  assert.equal(await changing, true);
  await assert.rejects(
    until("the end", (note) => (note({ step: 7 }), null), 100),
    /nothing has changed for 0\.1 s in waiting for the end; last seen: \{"step":7\}$/,
  );
});

test("UNTIL-2: what was promised within some time and takes longer fails; its own failure is passed on", async () => {
  await assert.rejects(
    within(100, "the answer", new Promise(() => undefined)),
    /the answer took over 100 ms$/,
  );
  await assert.rejects(within(100, "the answer", Promise.reject(new Error("no"))), /^Error: no$/);
  assert.equal(await within(100, "the answer", Promise.resolve(7)), 7);
});
