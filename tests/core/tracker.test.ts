/** TRACK-1, 2 and 4: the tracker beside a list of all that was said. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Tracker } from "../../coordinator/leader/tracker.ts";
import { peersMax, type Door, type FoundRelay, type Hold } from "../../protocol/tracking.ts";

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
  /** Of an earlier version, which says neither. */
  isOld: fc.boolean(),
  via: fc.subarray([...agents, "nobody"]),
  relays: fc.boolean(),
  added: fc.array(fc.record({ digest, part: fc.boolean() }), { maxLength: 4 }),
  dropped: fc.array(digest, { maxLength: 3 }),
});

interface Said {
  readonly hasDoor: boolean;
  readonly via: readonly string[];
  readonly relays: boolean;
}

interface RightAnswer {
  readonly agent: string;
  readonly part: boolean;
  readonly door?: Door;
  readonly via?: readonly FoundRelay[];
}

function doorOf(agent: string) {
  return { addresses: [`${agent}:7000`] };
}

type Message = typeof said extends fc.Arbitrary<infer M> ? M : never;
type Model = Map<string, Said & { held: Map<string, boolean> }>;

/** Says it to the tracker, whose answer has to be right, and to the model. */
function say(tracker: Tracker, model: Model, numbers: Map<string, number>, message: Message): void {
  const { added, agent, dropped, hasDoor, isGap, isGone, isOld, relays, via, whole } = message;
  if (isGone) {
    tracker.forget(agent);
    model.delete(agent);
    return;
  }
  const number = whole ? 1 : (numbers.get(agent) ?? 0) + (isGap ? 2 : 1);
  const hold: Hold = {
    ...{ kind: "hold", incarnation: "one", epoch: 1, number, whole, added, dropped },
    door: hasDoor ? doorOf(agent) : null,
    ...(isOld ? {} : { via, relays }),
  };
  const isTaken = whole || (model.has(agent) && !isGap);
  assert.equal(tracker.hold(agent, hold), isTaken);
  if (!isTaken) return;
  numbers.set(agent, number);
  const held = whole ? new Map<string, boolean>() : (model.get(agent)?.held ?? new Map<string, boolean>());
  for (const gone of dropped) held.delete(gone);
  for (const { digest, part } of added) held.set(digest, part);
  model.set(agent, { hasDoor, held, ...(isOld ? { via: [], relays: false } : { via, relays }) });
}

const byName = (one: { agent: string }, other: { agent: string }) => (one.agent < other.agent ? -1 : 1);

test("TRACK-1, TRACK-4: whoever asks is told of all who are present and hold it, and of nobody else; a gap is noticed", () => {
  fc.assert(
    fc.property(fc.array(said, { maxLength: 40 }), fc.subarray(agents), (messages, present) => {
      const tracker = new Tracker();
      const numbers = new Map<string, number>();
      const model: Model = new Map();
      for (const message of messages) say(tracker, model, numbers, message);
      const isPresent = (agent: string) => present.includes(agent);
      const passesOn = (agent: string) => {
        const relay = model.get(agent);
        return relay?.relays === true && relay.hasDoor && isPresent(agent);
      };
      const placeOf = (agent: string) => ({ agent, door: doorOf(agent) });
      const relays = tracker.relays("den", isPresent).map(({ agent }) => agent);
      assert.deepEqual(relays.toSorted(), agents.filter((one) => one !== "den" && passesOn(one)).toSorted());
      for (const asked of digests) {
        const right = [...model].flatMap(([agent, { hasDoor, held, via: said }]): RightAnswer[] => {
          const part = held.get(asked);
          if (part === undefined || !isPresent(agent) || agent === "den") return [];
          const via = said.filter((relay) => relay !== agent && passesOn(relay)).map(placeOf);
          if (hasDoor) return [{ ...placeOf(agent), part, ...(via.length === 0 ? {} : { via }) }];
          return via.length === 0 ? [] : [{ agent, part, via }];
        });
        const { hidden = [], peers } = tracker.find(asked, "den", isPresent);
        assert.deepEqual([...peers, ...hidden].toSorted(byName), right.toSorted(byName));
        for (const found of [peers, hidden])
          assert.deepEqual(
            found.map(({ part }) => part),
            found.map(({ part }) => part).toSorted((one, other) => Number(one) - Number(other)),
          );
        const of = (part: boolean) =>
          [...model]
            .filter(([agent, { held }]) => held.get(asked) === part && isPresent(agent))
            .map(([agent]) => agent)
            .toSorted();
        assert.deepEqual(tracker.holders(asked, isPresent), { agents: of(false), bringing: of(true) });
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
    const { peers: found } = tracker.find(asked, `asker-${asker}`, () => true);
    assert.equal(found.length, peersMax);
    assert.deepEqual(found, tracker.find(asked, `asker-${asker}`, () => true).peers);
    const agent = found[0]?.agent ?? "";
    first.set(agent, (first.get(agent) ?? 0) + 1);
  }
  assert.ok(first.size >= 20, `${first.size} of 40 are asked first by somebody`);
  assert.ok(Math.max(...first.values()) <= 8);
});
