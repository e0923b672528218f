/** A machine with several places is reached at one where it is, in whatever order they answer, and no second connection stays. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { dialPlaces } from "../../artifact/peer/dial-places.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const byNumber = (one: number, other: number) => one - other;
const place = fc.record({ isThere: fc.boolean(), ms: fc.integer({ min: 0, max: 9_000 }) });

test("the first place that answers is taken, nothing is waited for longer than it has to be, and the rest is closed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(place, { maxLength: 6 }), async (places) => {
      const clock = new VirtualClock();
      const closed: number[] = [];
      const asked: number[] = [];
      const found = dialPlaces(
        places.map((one, index) => ({ ...one, index })),
        ({ index, isThere, ms }) =>
          new Promise<Outcome<{ readonly index: number; readonly close: () => void }>>((resolve) => {
            asked.push(index);
            const link = { index, close: () => void closed.push(index) };
            clock.setTimer(ms, () => resolve(isThere ? accept(link) : refuse("unavailable", `${index}`)));
          }),
        clock,
      );
      let doneAt: number | null = null;
      void found.then(() => (doneAt = clock.monotonic()));
      await clock.advance(60_000);
      const outcome = await found;
      assert.deepEqual(
        asked,
        asked.map((_, index) => index),
        "in their order, each once",
      );
      const there = places.filter(({ isThere }) => isThere);
      assert.equal(outcome.ok, there.length > 0);
      if (!outcome.ok) return assert.equal(asked.length, places.length);
      const opened = asked.filter((index) => places[index]?.isThere === true);
      assert.deepEqual(
        closed.toSorted(byNumber),
        opened.filter((index) => index !== outcome.value.index),
      );
      const latest = Math.min(...there.map((one) => places.indexOf(one) * 300 + one.ms));
      assert.ok(doneAt !== null && doneAt <= latest, `${String(doneAt)} ms, where ${latest} would do`);
    }),
  );
});
