/** Whoever follows a sweep is told when nothing of it can go on for want of tokens, whatever of it only stands by. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { followSweep } from "../../client/follow/follow-sweep.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { accept } from "../../protocol/refusal.ts";
import type { SweepView } from "../../protocol/view.ts";
import type { SweepWhyView } from "../../protocol/why-view.ts";
import { sweepFixture } from "../support/view-fixture.ts";

type Budget = SweepWhyView["budget"];

/** A mesh with one sweep; its trials are asked for nothing, so that what one of them waits for decides nothing. */
function meshWith(view: Pick<SweepView, "summary">, budget: () => Budget, ended: () => boolean): MeshClient {
  const query = (name: string) => {
    if (name === "sweep-why") return Promise.resolve(accept({ budget: budget() }));
    const { summary } = view;
    return Promise.resolve(
      accept({ summary: ended() ? { ...summary, state: "done", waiting: null } : summary, trials: [] }),
    );
  };
  return { query, status: () => "connected" } as unknown as MeshClient;
}

const counts = { ...sweepFixture("s1").counts, running: 0 };
const waiting = sweepFixture("s1", { state: "waiting", waiting: "its own cap has 2 tokens left", counts });

test("a sweep that waits for tokens is followed no further, and it is said whose they are", async () => {
  for (const limit of ["account", "cap"] as const) {
    const budget = { available: 2_000, needed: 9_000, short: 7_000, limit };
    const followed = await followSweep(
      meshWith(
        { summary: waiting },
        () => budget,
        () => false,
      ),
      "s1",
      () => undefined,
    );
    assert.ok(followed.ok);
    assert.equal(followed.value.end, limit === "cap" ? "waits-at-cap" : "waits-for-budget");
  }
});

test("one that gets tokens in time, or waits for something else, is followed to its end", async () => {
  const asks = fc.record({
    shortFor: fc.integer({ min: 0, max: 3 }),
    endsAt: fc.integer({ min: 4, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(asks, async ({ endsAt, shortFor }) => {
      let asked = 0;
      let polls = 0;
      const budget = (): Budget => {
        const short = asked++ < shortFor ? 5_000 : 0;
        return { available: 2_000, needed: 2_000 + short, short, limit: "cap" };
      };
      const followed = await followSweep(
        meshWith({ summary: waiting }, budget, () => ++polls > endsAt),
        "s1",
        () => undefined,
      );
      assert.ok(followed.ok);
      assert.equal(followed.value.end, "done");
    }),
    { numRuns: 3 },
  );
});
