import assert from "node:assert/strict";
import { test } from "node:test";
import { StartTurn } from "../../agent/program/start-turn.ts";

/** As a fork does. */
function holdUp(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

test("AGENT-8: between any two starts of programs a timer that is due runs, and each start comes in its order", async () => {
  const turns = new StartTurn();
  const seen: (number | "timer")[] = [];
  let timer = setTimeout(function again() {
    seen.push("timer");
    timer = setTimeout(again, 1);
  }, 1);
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      await turns.take();
      seen.push(index);
      holdUp(4);
    }),
  );
  clearTimeout(timer);
  const starts = seen.filter((one) => one !== "timer");
  assert.deepEqual(
    starts,
    starts.map((_, index) => index),
  );
  for (const [at, one] of seen.entries())
    if (typeof one === "number" && one > 0) assert.equal(seen[at - 1], "timer", `before start ${one}`);
});
