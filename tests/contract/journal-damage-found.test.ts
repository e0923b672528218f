// Damage to the journal, as a coordinator meets it: at its start, while it leads or stands by, and by what agents prove.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { hashOf } from "../../coordinator/journal/batch.ts";
import { salvageJournal, type JournalSource } from "../../coordinator/journal/salvage.ts";
import { signedAtIn } from "../../coordinator/journal/signed-at.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { readHead, signHead } from "../../protocol/signed-head.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { CandidatePlace, opened, placeMesh } from "../support/candidate-place.ts";
import { capability } from "../support/fold.ts";
import { keysOf } from "../support/order-key.ts";

const longMs = 60_000;
const noticedMs = 30_000;

async function livedPlace(messages = 8): Promise<CandidatePlace> {
  const place = new CandidatePlace();
  await place.streams();
  await place.write(1, { kind: "LeaderElected", epoch: 1, leader: "zero" });
  await place.write(1, { kind: "AccountOpened", requester: "ada", weight: 1 });
  for (let at = 2; at < messages; at++)
    await place.write(1, { kind: "TokensGranted", requester: "ada", amount: at, by: "owner", note: "" });
  const first = place.start();
  await place.clock.advance(longMs);
  assert.equal(first.role(), "leader");
  await place.clock.settle(first.stop());
  return place;
}

/** Starts a coordinator, damages the journal, and gives why it halted; null where it did not. */
async function whileLeading(damage: (place: CandidatePlace) => void): Promise<string | null> {
  const place = await livedPlace();
  const candidate = place.start();
  await place.clock.advance(longMs);
  assert.equal(candidate.role(), "leader");
  damage(place);
  await place.clock.advance(noticedMs);
  await place.clock.settle(candidate.stop());
  return place.halts[0] ?? null;
}

async function atStart(damage: (place: CandidatePlace) => void): Promise<string | null> {
  const place = await livedPlace();
  damage(place);
  const candidate = place.start();
  await place.clock.advance(longMs);
  assert.notEqual(candidate.role(), "leader", "it does not lead on a damaged journal");
  await place.clock.settle(candidate.stop());
  return place.halts[0] ?? null;
}

const other = toBytes({ v: 2, epoch: 1, prev: "", at: 1, events: [] });
const damages: readonly (readonly [string, (place: CandidatePlace) => void, RegExp])[] = [
  ["its first message is gone", (place) => place.damage(1, null), /has no message 1/],
  ["one in the middle is gone", (place) => place.damage(4, null), /has no message 4/],
  ["one in the middle is another", (place) => place.damage(4, other), /message 4 does not follow/],
  ["its tail is gone", (place) => place.loseTail(2), /lost its tail|has no message/],
  ["the stream is gone", (place) => place.deleteJournal(), /the server has no journal/],
];

for (const [what, damage, says] of damages) {
  test(`JOURNAL-8: where ${what} a leader halts, and says the way out`, async () => {
    const halt = await whileLeading(damage);
    assert.match(halt ?? "it did not halt", says);
    assert.match(halt ?? "", /`trialmesh up --restore-journal`/);
  });
  test(`JOURNAL-8: where ${what} nobody leads to begin with`, async () => {
    const halt = await atStart(damage);
    assert.match(halt ?? "it did not halt", says);
    assert.match(halt ?? "", /`trialmesh up --restore-journal`/);
  });
}

test("JOURNAL-8: a journal that is as it was is read again and again, and nothing is said", async () => {
  assert.equal(await whileLeading(() => undefined), null);
});

test("JOURNAL-9: what is damaged in the copy is mended from the journal, wherever it is, and said", async () => {
  const whole = await livedPlace();
  const keys = [...opened(whole.copy).range("journal/")].map(([key]) => key);
  for (const key of [...keys, "end"]) {
    for (const value of [other, undefined]) {
      const place = await livedPlace();
      await opened(place.copy).write({
        put: value === undefined ? [] : [[key, value]],
        remove: value === undefined ? [key] : [],
      });
      const candidate = place.start();
      await place.clock.advance(longMs);
      assert.deepEqual(place.halts, [], key);
      assert.equal(candidate.role(), "leader", key);
      await place.clock.settle(candidate.stop());
      assert.ok(
        place.lines.some((line) => line.includes("copy of the journal is damaged")),
        key,
      );
      const messages = await place.messages();
      const copied = Array.from(opened(place.copy).range("journal/"), ([, bytes]) =>
        bytes instanceof Uint8Array ? hashOf(bytes) : "none",
      );
      assert.deepEqual(copied, messages.map(hashOf), key);
    }
  }
});

test("JOURNAL-9: with the end of the copy damaged a lost tail is still noticed", async () => {
  for (const value of ["garbage", { sequence: 2, hash: "x", signedFrom: 1 }]) {
    const place = await livedPlace();
    await opened(place.copy).write({ put: [["end", value]], remove: [] });
    const projection = opened(place.projection);
    await projection.write({ put: [], remove: [...projection.range("")].map(([key]) => key) });
    place.loseTail(3);
    const candidate = place.start();
    await place.clock.advance(longMs);
    assert.equal(candidate.role(), "halted");
    await place.clock.settle(candidate.stop());
  }
});

/** What a registration with this head does to a leader: its halts. */
async function registered(place: CandidatePlace, head: string): Promise<readonly string[]> {
  const candidate = place.start();
  await place.clock.advance(longMs);
  assert.equal(candidate.role(), "leader");
  const bus = place.hub.connect("agent");
  const register = { incarnation: "a-1", capability: capability(), policy: openPolicy(1), head };
  bus.request(subjectsOf(placeMesh).register("desk"), toBytes(register), 1_000).catch(() => undefined);
  await place.clock.advance(5_000);
  await place.clock.settle(candidate.stop());
  return place.halts.splice(0);
}

test("JOURNAL-10: a head that a leader signed and the journal does not bear out halts whoever leads, and is kept", async () => {
  const place = await livedPlace();
  const hash = hashOf(Buffer.from("a message that was lost"));
  const { signer } = place.keys;
  for (const sequence of [3, 500]) {
    const lived = await livedPlace();
    const [halt] = await registered(lived, signHead(signer, placeMesh, { epoch: 9, sequence, hash }));
    assert.match(halt ?? "it did not halt", /as agent desk proves by what the leader of epoch 9 signed/);
    // The next start knows it without the agent.
    const again = lived.start();
    await lived.clock.advance(longMs);
    assert.equal(again.role(), "halted");
    await lived.clock.settle(again.stop());
  }
});

test("JOURNAL-10: a head that is borne out, or that nobody signed, halts nobody", async () => {
  const place = await livedPlace();
  const [, , third] = await place.messages();
  assert.ok(third !== undefined);
  const right = { epoch: 1, sequence: 3, hash: hashOf(third) };
  const wrong = { epoch: 1, sequence: 900, hash: right.hash };
  const stranger = keysOf("another").signer;
  const heads = [
    signHead(place.keys.signer, placeMesh, right),
    signHead(stranger, placeMesh, wrong),
    signHead(place.keys.signer, "another", wrong),
    JSON.stringify(wrong),
    "",
    "x".repeat(2_000),
  ];
  for (const head of heads) assert.deepEqual(await registered(place, head), [], head.slice(0, 80));
});

test("JOURNAL-10: every beacon carries a head that the journal bears out", async () => {
  const place = await livedPlace();
  const proofs = new Set<string>();
  const { epoch } = subjectsOf(placeMesh);
  place.hub.connect("listener").subscribe(epoch, ({ data }) => {
    const signed = place.keys.trust.open(epoch, data);
    const { head } = fromBytes(signed?.body ?? data) as { head?: string };
    if (head !== undefined) proofs.add(head);
  });
  const candidate = place.start();
  await place.clock.advance(longMs);
  await place.clock.settle(candidate.stop());
  const messages = await place.messages();
  assert.ok(proofs.size > 0);
  for (const proof of proofs) {
    const head = readHead(place.keys.trust, placeMesh, proof);
    assert.ok(head !== null);
    assert.equal(head.hash, hashOf(messages[head.sequence - 1] ?? Buffer.of()));
  }
});

const sourceOf = (messages: ReadonlyMap<number, Uint8Array>): JournalSource => ({
  top: Math.max(0, ...messages.keys()),
  at: (sequence) => messages.get(sequence) ?? null,
});

test("JOURNAL-5: of damaged sources the whole journal is found where each message is somewhere, and what is lost is named elsewhere", async () => {
  const place = await livedPlace(12);
  const messages = await place.messages();
  const signedAt = signedAtIn(placeMesh, place.keys.trust);
  const end = { sequence: messages.length, hash: hashOf(messages.at(-1) ?? Buffer.of()) };
  const fate = fc.constantFrom("right", "right", "gone", "altered");
  const fates = fc.array(fate, { minLength: messages.length, maxLength: messages.length });
  fc.assert(
    fc.property(fc.array(fates, { minLength: 1, maxLength: 3 }), (damaged) => {
      const sources = damaged.map((each) =>
        sourceOf(
          new Map(
            each.flatMap((is, index) => {
              const right = messages[index];
              if (right === undefined || is === "gone") return [];
              const bytes = is === "right" ? right : Buffer.from(right).fill(120, 20, 40);
              return [[index + 1, bytes] as const];
            }),
          ),
        ),
      );
      const missing = messages.findIndex((_, index) => damaged.every((each) => each[index] !== "right"));
      const found = salvageJournal({ sources, heads: [end], signedAt });
      if (missing >= 0) {
        assert.equal(found.kind, "lost");
        return;
      }
      assert.ok(found.kind === "whole");
      assert.deepEqual(
        found.hashes.map((_, index) => Buffer.from(found.at(index + 1))),
        messages.map((bytes) => Buffer.from(bytes)),
      );
    }),
  );
});

test("JOURNAL-5: histories that part are not joined, and no history is none", async () => {
  const place = await livedPlace();
  const messages = await place.messages();
  const signedAt = signedAtIn(placeMesh, place.keys.trust);
  const sources = [sourceOf(new Map(messages.map((bytes, index) => [index + 1, bytes])))];
  const heads = [{ sequence: 2, hash: "0".repeat(64) }];
  assert.deepEqual(salvageJournal({ sources, heads, signedAt }), { kind: "parted", sequence: 2 });
  assert.equal(salvageJournal({ sources: [], heads: [], signedAt }).kind, "nothing");
  const beyond = { sequence: messages.length + 5, hash: "0".repeat(64) };
  assert.deepEqual(salvageJournal({ sources, heads: [beyond], signedAt }), {
    kind: "lost",
    from: messages.length + 1,
    to: messages.length + 5,
  });
});
