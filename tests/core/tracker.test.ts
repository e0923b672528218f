/** TRACK-1 and 2: the tracker beside a list of all that was said. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Tracker } from "../../coordinator/leader/tracker.ts";
import { peersMax, type Hold } from "../../protocol/tracking.ts";

const digests = Array.from({ length: 6 }, (_, n) => String(n).repeat(64));
const agents = ["den", "attic", "cellar", "garage"];
const digest = fc.constantFrom(...digests);

const said = fc.record({
  agent: fc.constantFrom(...agents),
  whole: fc.boolean(),
  /** A message before it was lost. */
  isGap: fc.boolean(),
  isGone: fc.boolean(),
  hasDoor: fc.boolean(),
  added: fc.array(fc.record({ digest, part: fc.boolean() }), { maxLength: 4 }),
  dropped: fc.array(digest, { maxLength: 3 }),
});

function doorOf(agent: string) {
  return { addresses: [`${agent}:7000`] };
}

test("TRACK-1: whoever asks is told of all who are present and hold it, and of nobody else; a gap is noticed", () => {
  fc.assert(
    fc.property(fc.array(said, { maxLength: 40 }), fc.subarray(agents), (messages, present) => {
      const tracker = new Tracker();
      const numbers = new Map<string, number>();
      const model = new Map<string, { hasDoor: boolean; held: Map<string, boolean> }>();
      for (const { added, agent, dropped, hasDoor, isGap, isGone, whole } of messages) {
        if (isGone) {
          tracker.forget(agent);
          model.delete(agent);
          continue;
        }
        const number = whole ? 1 : (numbers.get(agent) ?? 0) + (isGap ? 2 : 1);
        const door = hasDoor ? doorOf(agent) : null;
        const hold: Hold = {
          kind: "hold",
          incarnation: "one",
          epoch: 1,
          number,
          whole,
          door,
          added,
          dropped,
        };
        const isTaken = whole || (model.has(agent) && !isGap);
        assert.equal(tracker.hold(agent, hold), isTaken);
        if (!isTaken) continue;
        numbers.set(agent, number);
        const held = whole
          ? new Map<string, boolean>()
          : (model.get(agent)?.held ?? new Map<string, boolean>());
        for (const gone of dropped) held.delete(gone);
        for (const { digest, part } of added) held.set(digest, part);
        model.set(agent, { hasDoor, held });
      }
      const isPresent = (agent: string) => present.includes(agent);
      for (const asked of digests) {
        const right = [...model].flatMap(([agent, { hasDoor, held }]) => {
          const part = held.get(asked);
          return hasDoor && part !== undefined && isPresent(agent) && agent !== "den"
            ? [{ agent, door: doorOf(agent), part }]
            : [];
        });
        const found = tracker.find(asked, "den", isPresent);
        const byName = (one: { agent: string }, other: { agent: string }) =>
          one.agent < other.agent ? -1 : 1;
        assert.deepEqual(found.toSorted(byName), right.toSorted(byName));
        assert.deepEqual(
          found,
          found.toSorted((one, other) => Number(one.part) - Number(other.part)),
        );
        const whole = [...model].filter(([agent, { held }]) => held.get(asked) === false && isPresent(agent));
        assert.equal(tracker.count(asked, isPresent), whole.length);
        const bringing = [...model].filter(
          ([agent, { held }]) => held.get(asked) === true && isPresent(agent),
        );
        const names = (of: readonly (readonly [string, unknown])[]) => of.map(([agent]) => agent).toSorted();
        assert.deepEqual(tracker.holders(asked, isPresent), {
          agents: names(whole),
          bringing: names(bringing),
        });
      }
    }),
  );
});

test("TRACK-2: sixty-four who ask begin with different holders, each with at most so many", () => {
  const tracker = new Tracker();
  const [asked = ""] = digests;
  const holders = Array.from({ length: 40 }, (_, n) => `box-${n}`);
  for (const agent of holders)
    tracker.hold(agent, {
      ...{ kind: "hold", incarnation: "one", epoch: 1, number: 1, whole: true, door: doorOf(agent) },
      ...{ added: [{ digest: asked }], dropped: [] },
    });
  const first = new Map<string, number>();
  for (let asker = 0; asker < 64; asker++) {
    const found = tracker.find(asked, `asker-${asker}`, () => true);
    assert.equal(found.length, peersMax);
    assert.deepEqual(
      found,
      tracker.find(asked, `asker-${asker}`, () => true),
    );
    const agent = found[0]?.agent ?? "";
    first.set(agent, (first.get(agent) ?? 0) + 1);
  }
  assert.ok(first.size >= 20, `${first.size} of 40 are asked first by somebody`);
  assert.ok(Math.max(...first.values()) <= 8);
});
