// What a coordinator finds of its own when it starts: a projection that is old, damaged or gone, a copy of the journal that is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { stateText } from "../support/state-text.ts";
import { moveCopy } from "../../coordinator/journal/journal-copy.ts";
import { startPosition, type Position } from "../../coordinator/journal/journal.ts";
import { mustGet } from "../../coordinator/state/state.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import { CandidatePlace, opened, placeMesh } from "../support/candidate-place.ts";
import { capability, sweepSpec } from "../support/fold.ts";

const longMs = 60_000;

/** A place whose journal tells a little of everything, after one coordinator has followed it and stored what it adds up to. */
async function livedPlace(): Promise<{ place: CandidatePlace; text: string }> {
  const place = new CandidatePlace();
  await place.streams();
  await place.write(
    1,
    { kind: "LeaderElected", epoch: 1, leader: "zero" },
    { kind: "AccountOpened", requester: "ada", weight: 2 },
    { kind: "TokensGranted", requester: "ada", amount: 5_000, by: "owner", note: "" },
    { kind: "CommandAccepted", key: "owner/ada/1", who: "ada", name: "budget-grant", value: { x: [1] } },
  );
  await place.write(1, {
    kind: "AgentJoined",
    agent: "a",
    incarnation: "a-1",
    capability: capability(),
    policy: openPolicy(1),
  });
  const spec = sweepSpec();
  await place.write(
    1,
    {
      kind: "SweepSubmitted",
      sweep: "s1",
      requester: "ada",
      spec,
      total: 1,
      fingerprint: "f",
      warmStart: "w",
    },
    {
      kind: "TrialProposed",
      trial: "s1-1",
      sweep: "s1",
      number: 1,
      model: "alpha",
      params: { lr: 0.5 },
      key: "1/alpha/0.5",
      draws: 1,
      target: 1,
    },
  );
  const text = await stay(place);
  return { place, text };
}

/** Runs a coordinator until it leads, ends it, and gives what it made of the journal, its own election apart. */
async function stay(place: CandidatePlace, restoreJournal = false): Promise<string> {
  place.lines.length = 0;
  const candidate = place.start("one", restoreJournal);
  await place.clock.advance(longMs);
  assert.deepEqual(place.halts, []);
  assert.equal(candidate.role(), "leader");
  await place.clock.settle(candidate.stop());
  const { state } = place;
  assert.ok(state !== null);
  const { epoch, at, ...rest } = state.meta;
  assert.ok(epoch > 1 && at > 0);
  const agents = new Map([...state.agents].map(([name, agent]) => [name, { ...agent, present: true }]));
  return stateText({ ...state, meta: { ...rest, epoch: 0, at: 0 }, agents });
}

const spoils: readonly (readonly [string, (disk: MemoryDisk) => Promise<unknown>])[] = [
  ["an entity has a key too many", (disk) => put(disk, "account/ada", { requester: "ada", colour: 1 })],
  ["an entity lacks a key", (disk) => put(disk, "meta", { epoch: 1 })],
  ["a page is no page", (disk) => put(disk, "trials/s1/0", "garbage")],
  ["an entity is gone that others name", (disk) => remove(disk, "sweep/s1")],
  ["its position is gone", (disk) => remove(disk, "position")],
];

function put(disk: MemoryDisk, key: string, value: unknown): Promise<void> {
  return opened(disk).write({ put: [[key, value]], remove: [] });
}

function remove(disk: MemoryDisk, key: string): Promise<void> {
  const store = opened(disk);
  assert.notEqual(store.get(key), undefined, key);
  return store.write({ put: [], remove: [key] });
}

for (const [what, spoil] of spoils) {
  test(`FORMAT-4: where ${what}, the projection is built anew from the journal, and says so`, async () => {
    const { place, text } = await livedPlace();
    const copied = opened(place.copy).count();
    await spoil(place.projection);
    assert.equal(await stay(place), text);
    assert.ok(
      place.lines.some((line) => /cannot be used \(.+\); it is built anew from the journal/.test(line)),
      place.lines.join("\n"),
    );
    assert.ok(opened(place.copy).count() >= copied, "the copy of the journal is still there");
    // And what was built is stored: the next start has nothing to say.
    assert.equal(await stay(place), text);
    assert.ok(!place.lines.some((line) => line.includes("built anew")), place.lines.join("\n"));
  });
}

test("FORMAT-4: a projection that is as it should be is used, and nothing is said", async () => {
  const { place, text } = await livedPlace();
  const kept = new Map(opened(place.projection).range(""));
  assert.ok(kept.has("trials/s1/0") && kept.has("sweep/s1"));
  assert.equal(await stay(place), text);
  assert.deepEqual(
    place.lines.filter((line) => !line.startsWith("leading")),
    [],
  );
});

test("JOURNAL-5: without a projection a lost tail is still noticed, and still put back from the copy", async () => {
  const { place, text } = await livedPlace();
  const whole = await place.messages();
  const store = opened(place.projection);
  await store.write({ put: [], remove: [...store.range("")].map(([key]) => key) });
  place.loseTail(2);
  const candidate = place.start();
  await place.clock.advance(longMs);
  assert.equal(candidate.role(), "halted");
  assert.match(place.halts.splice(0).join(), /it has lost its tail; `trialmesh up --restore-journal`/);
  assert.equal(await stay(place, true), text);
  assert.deepEqual((await place.messages()).slice(0, whole.length), whole);
});

test("JOURNAL-5: the journal is put back once; one that is longer after the server's next absence is right", async () => {
  const { place } = await livedPlace();
  // Somebody else leads: this one stands by.
  place.bus.subscribe(subjectsOf(placeMesh).query("coordinator", "late", "ping"), (message) =>
    message.respond(toBytes({ ok: true, value: { epoch: 1 } })),
  );
  const candidate = place.start("late", true);
  await place.clock.advance(longMs);
  place.hub.partition("late");
  await place.clock.advance(1_000);
  const [last] = (await place.clock.settle(place.journal().readAfter(startPosition))).slice(-1);
  assert.ok(last !== undefined);
  const granted = { kind: "TokensGranted", requester: "ada", amount: 1, by: "owner", note: "" } as const;
  const { batch, position } = last;
  await place.clock.settle(place.journal().append(position, batch.epoch, batch.at, [granted], () => false));
  place.hub.heal("late");
  await place.clock.advance(longMs);
  assert.deepEqual(place.halts, []);
  assert.equal(candidate.role(), "standby");
  assert.equal(place.state?.accounts.get("ada")?.granted, 5_001);
  await place.clock.settle(candidate.stop());
});

test("JOURNAL-5: a copy that is gone or has fallen behind is completed from the journal", async () => {
  for (const lost of [Infinity, 2]) {
    const { place } = await livedPlace();
    const whole = await place.messages();
    const store = opened(place.copy);
    const keys = [...store.range("journal/")].map(([key]) => key);
    assert.equal(keys.length, whole.length);
    const kept = lost === Infinity ? 0 : keys.length - lost;
    const last = whole[kept - 1];
    const end = last === undefined ? [] : [["end", await positionAt(place, kept)] as const];
    await store.write({ put: end, remove: lost === Infinity ? [...keys, "end"] : keys.slice(kept) });
    await stay(place);
    const copied = [...opened(place.copy).range("journal/")].map(([, bytes]) => bytes);
    assert.deepEqual(copied, await place.messages());
  }
});

async function positionAt(place: CandidatePlace, sequence: number): Promise<Position> {
  const entries = await place.clock.settle(place.journal().readAfter(startPosition));
  return mustGet(new Map(entries.map(({ position }) => [position.sequence, position])), sequence, "entry");
}

test("FORMAT-4: the copy that lay in an older projection is taken over, up to its first gap", async () => {
  const { place } = await livedPlace();
  const copy = opened(place.copy);
  const messages = [...copy.range("journal/")];
  assert.ok(messages.length >= 4);
  const old = opened(new MemoryDisk());
  await old.write({ put: [...messages, ["meta", { epoch: 3 }]], remove: [] });
  const into = opened(new MemoryDisk());
  assert.equal(await moveCopy(old, into), messages.length);
  // What lay there is of before anything was signed, whatever is moved here.
  const before = { ...(await positionAt(place, messages.length)), signedFrom: null };
  assert.deepEqual([...into.range("")], [["end", before], ...messages]);

  const [, second] = messages;
  assert.ok(second !== undefined);
  await old.write({ put: [], remove: [second[0]] });
  const gapped = opened(new MemoryDisk());
  assert.equal(await moveCopy(old, gapped), 1);
  assert.deepEqual(gapped.get("end"), { ...(await positionAt(place, 1)), signedFrom: null });
});

test("DISK-1: a coordinator whose disk is full leads on, says so once, and stores what it missed once there is room", async () => {
  const { place, text } = await livedPlace();
  const before = new Map(opened(place.projection).range(""));
  for (const disk of [place.projection, place.copy]) disk.full = true;
  const candidate = place.start("two");
  await place.clock.advance(longMs);
  const owner = place.owner();
  const grant = { requester: "ada", amount: 2_000, note: "" };
  for (let times = 0; times < 3; times++) {
    assert.ok((await place.clock.settle(owner.command("budget-grant", grant))).ok);
    await place.clock.advance(1_000);
  }
  assert.equal(candidate.role(), "leader");
  assert.deepEqual(place.halts, []);
  assert.deepEqual(new Map(opened(place.projection).range("")), before);
  assert.equal(place.lines.filter((line) => line.includes("The disk is full")).length, 1);

  for (const disk of [place.projection, place.copy]) disk.full = false;
  assert.ok((await place.clock.settle(owner.command("budget-grant", grant))).ok);
  await place.clock.advance(1_000);
  assert.ok(place.lines.some((line) => line === "the disk takes what this coordinator stores again"));
  await place.clock.settle(candidate.stop());
  const granted = place.state?.accounts.get("ada")?.granted;
  assert.equal(granted, 13_000);
  // What was missed is there: the next start takes it from the disk and has nothing to say.
  assert.notEqual(await stay(place), text);
  assert.equal(place.state?.accounts.get("ada")?.granted, granted);
  assert.ok(!place.lines.some((line) => line.includes("built anew")), place.lines.join("\n"));
  assert.deepEqual(
    [...opened(place.copy).range("journal/")].map(([, bytes]) => bytes),
    await place.messages(),
  );
});
