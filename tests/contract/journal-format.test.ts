// What a coordinator makes of a journal that another version wrote: an older one is lifted, a newer one is waited for.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeBatch, journalFormat } from "../../coordinator/journal/batch.ts";
import { replay } from "../../coordinator/core/replay.ts";
import { emptyState } from "../../coordinator/state/state.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { CandidatePlace } from "../support/candidate-place.ts";
import { sweepSpec } from "../support/fold.ts";

const head = { v: journalFormat, epoch: 1, at: 5 };
const opened = { kind: "AccountOpened", requester: "ada", weight: 1 } as const;
const elected = { kind: "LeaderElected", epoch: 1, leader: "other" } as const;

/** Longer than any leader may be silent, and any pause. */
const longMs = 60_000;

const newer: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ["a newer format", { ...head, v: journalFormat + 1, events: [opened], sealed: true }],
  ["a kind of event that is not known", { ...head, events: [opened, { kind: "AgentMoved", agent: "a" }] }],
  ["a key that is not known", { ...head, events: [opened, { ...opened, colour: "blue" }] }],
  ["a key of the batch that is not known", { ...head, events: [opened], colour: "blue" }],
  [
    "a key that is not known deep inside",
    {
      ...head,
      events: [
        {
          kind: "SweepSubmitted",
          sweep: "s1",
          requester: "ada",
          spec: { ...sweepSpec(), needs: { gpu: { count: 1, colour: "blue" } } },
          total: 1,
          fingerprint: "a",
          warmStart: "b",
        },
      ],
    },
  ],
  [
    "a choice that is not known",
    { ...head, events: [{ kind: "TrialFinished", trial: "s1-1", outcome: "archived", why: "" }] },
  ],
];

for (const [what, batch] of newer) {
  for (const where of ["at the end", "in the middle"] as const) {
    test(`FORMAT-3: ${what}, ${where} of the journal: a coordinator waits, says so once, and neither leads nor halts`, async () => {
      const place = new CandidatePlace();
      await place.streams();
      await place.write(1, elected);
      await place.append(batch);
      if (where === "in the middle") await place.write(1, { kind: "AgentSilent", agent: "a" });
      const before = (await place.messages()).length;
      const candidate = place.start();
      await place.clock.advance(longMs);
      assert.equal(candidate.role(), "standby");
      assert.deepEqual(place.halts, []);
      const told = place.lines.filter((line) => line.includes("written by a newer version"));
      assert.equal(told.length, 1, place.lines.join("\n"));
      assert.match(told[0] ?? "", /journal message 2 .* waits and does not lead until it is upgraded/);
      // Of the batch it could not read not even the part that it knows was taken.
      assert.equal(place.state?.accounts.size, 0);
      await place.write(1, { kind: "AgentSilent", agent: "b" });
      await place.clock.advance(longMs);
      assert.equal(candidate.role(), "standby");
      assert.equal((await place.messages()).length, before + 1, "it wrote nothing");
      await place.clock.settle(candidate.stop());
    });
  }
}

test("FORMAT-3: the same coordinator leads where it can read all there is", async () => {
  const place = new CandidatePlace();
  await place.streams();
  await place.write(1, elected, opened);
  const candidate = place.start();
  await place.clock.advance(longMs);
  assert.equal(candidate.role(), "leader");
  assert.equal(place.state?.accounts.size, 1);
  await place.clock.settle(candidate.stop());
});

for (const [what, batch] of [
  ["an event that lacks what it always had", { ...head, events: [{ kind: "AccountOpened", weight: 1 }] }],
  ["a number where a text must be", { ...head, events: [{ ...opened, requester: 7 }] }],
  ["no format at all", { epoch: 1, at: 5, events: [opened] }],
  ["no events", { ...head, events: [] }],
] as const) {
  test(`JOURNAL-6: ${what} is no newer version: the coordinator halts with the message's number`, async () => {
    const place = new CandidatePlace();
    await place.streams();
    await place.write(1, elected);
    await place.append(batch);
    const candidate = place.start();
    await place.clock.advance(longMs);
    assert.equal(candidate.role(), "halted");
    assert.match(place.halts.join(), /journal message 2 cannot be read: /);
  });
}

describe("format 1", () => {
  test("FORMAT-2: a batch of format 1 is lifted; one that mixes the formats is not believed", () => {
    const ended = { kind: "SweepFinished", sweep: "s1" };
    const read = (v: number, event: unknown) =>
      decodeBatch(toBytes({ v, epoch: 1, prev: "", at: 5, events: [event] })).kind;
    assert.equal(read(1, ended), "read");
    assert.equal(read(2, { ...ended, state: "done" }), "read");
    assert.equal(read(1, { ...ended, state: "done" }), "newer");
    assert.equal(read(2, ended), "broken");
  });

  test("FORMAT-2: what a person had asked for before a refill was set counts from then", () => {
    const state = emptyState();
    const refill = { amount: 1, everyMs: 60_000, upTo: 5 };
    const set = { kind: "AccountSet", requester: "ada", weight: 1, refill, sweepCap: null };
    const at = (time: number, event: unknown) => {
      const reading = decodeBatch(toBytes({ v: 1, epoch: 1, prev: "", at: time, events: [event] }));
      assert.ok(reading.kind === "read");
      return replay(state, reading.batch);
    };
    at(5, { kind: "AccountOpened", requester: "ada", weight: 1 });
    assert.deepEqual(at(7, set), [{ ...set, refilledAt: 7 }]);
    assert.deepEqual(at(9, { ...set, weight: 2 }), [{ ...set, weight: 2, refilledAt: 7 }]);
    assert.equal(state.accounts.get("ada")?.refilledAt, 7);
  });
});

test("FORMAT-2: a coordinator writes the newest format", async () => {
  const place = new CandidatePlace();
  await place.streams();
  const candidate = place.start();
  await place.clock.advance(longMs);
  await place.clock.settle(candidate.stop());
  const formats = (await place.messages()).map((bytes) => (fromBytes(bytes) as { v: number }).v);
  assert.ok(formats.length > 0);
  assert.deepEqual(new Set(formats), new Set([journalFormat]));
});
