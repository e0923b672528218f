/** Messages at which the coordinator's own code fails, and those that cannot be read: refused or set aside, once, while it goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SetAside, setAsideMax } from "../../coordinator/leader/set-aside.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { CandidatePlace, opened, placeMesh } from "../support/candidate-place.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const leadingMs = 20_000;
const settleMs = 2_000;
const subjects = subjectsOf(placeMesh);

async function leadingPlace() {
  const place = new CandidatePlace();
  await place.streams();
  const candidate = place.start();
  await place.clock.advance(leadingMs);
  assert.equal(candidate.role(), "leader");
  return { place, candidate, client: place.owner() };
}

/** From here on the state in memory fails when an account of this name is looked up for the `nth` time. */
function failAt(place: CandidatePlace, poison: string, nth: number): void {
  const { state } = place;
  assert.ok(state !== null);
  const get = state.accounts.get.bind(state.accounts);
  let asked = 0;
  state.accounts.get = (requester) => {
    if (requester === poison && ++asked >= nth) throw new Error("a fault for this test");
    return get(requester);
  };
}

test("FAULT-2: a command at which deciding fails is refused with a sentence, and the leader goes on", async () => {
  const { place, candidate, client } = await leadingPlace();
  const { clock } = place;
  await clock.settle(client.command("account-open", { requester: "ada" }));
  failAt(place, "poison", 1);
  const sent = clock.settle(client.command("account-open", { requester: "poison" }));
  const answer = await sent;
  assert.ok(!answer.ok);
  assert.match(
    answer.refusal.message,
    /^the command account-open cannot be carried out.*a fault for this test; nothing was changed$/,
  );
  const next = await clock.settle(client.command("account-open", { requester: "bert" }));
  assert.ok(next.ok);
  const aside = await clock.settle(client.query("set-aside", {}));
  assert.ok(aside.ok);
  assert.deepEqual(
    aside.value.messages.map(({ count, kind, sender }) => [kind, sender, count]),
    [["command", "owner owner", 1]],
  );
  assert.deepEqual([candidate.role(), place.halts, place.state?.meta.epoch], ["leader", [], 1]);
  await clock.settle(candidate.stop());
});

test("FAULT-2: where half of a command is in the state, a new term begins without it and refuses it", async () => {
  const { place, candidate, client } = await leadingPlace();
  const { clock } = place;
  await clock.settle(client.command("account-open", { requester: "ada" }));
  // The second look is made while the first event is applied.
  failAt(place, "poison", 2);
  const bus = place.hub.connect("owner");
  const command = toBytes({ key: "the-key-of-it", body: { requester: "poison", weight: 2, grant: 5 } });
  const subject = subjects.command("owner", "owner", "account-open");
  await clock.settle(bus.request(subject, command, 1_000).catch(() => null));
  await clock.advance(leadingMs);
  assert.deepEqual([candidate.role(), place.halts, place.state?.meta.epoch], ["leader", [], 2]);
  assert.deepEqual([...(place.state?.accounts.keys() ?? [])], ["ada"]);
  const again = await clock.settle(
    client.command("account-open", { requester: "poison", weight: 2, grant: 5 }),
  );
  assert.ok(!again.ok);
  assert.match(again.refusal.message, /a fault for this test/);
  assert.equal(place.state?.meta.epoch, 2, "it began anew once more");
  // Another of its kind is none of it.
  const next = await clock.settle(client.command("account-open", { requester: "poison", weight: 3 }));
  assert.ok(next.ok);
  await clock.settle(candidate.stop());
});

test("FAULT-1: reports and heartbeats that cannot be read are set aside with a sentence, never asked for again, and survive a restart", async () => {
  const { place, candidate, client } = await leadingPlace();
  const { clock } = place;
  const bus = place.hub.connect("box");
  const { inbox } = streamsOf(placeMesh);
  const wrong = [
    toBytes({ incarnation: "x", reports: "none" }),
    Buffer.from("no JSON at all"),
    toBytes({ incarnation: "x", reports: [{ id: "a", report: { kind: "failed", fence: -1 } }] }),
    Buffer.from(`{"incarnation":${"[".repeat(5_000)}${"]".repeat(5_000)},"reports":[]}`),
  ];
  for (const data of wrong) await clock.settle(bus.append(inbox, subjects.inbox("box"), data));
  bus.publish(subjects.heartbeat("box"), toBytes({ running: 7 }));
  bus.publish(subjects.heartbeat("box"), Buffer.alloc(300 * 1_024, 32));
  await clock.advance(settleMs);
  const aside = await clock.settle(client.query("set-aside", {}));
  assert.ok(aside.ok);
  const { messages } = aside.value;
  assert.equal(
    messages.reduce((sum, { count }) => sum + count, 0),
    wrong.length + 2,
  );
  assert.ok(messages.every(({ sender, sentence }) => sender === "box" && sentence.length > 10));
  // What is consumed is not delivered again, also not to the next leader.
  await clock.settle(candidate.stop());
  const next = place.start("two");
  await clock.advance(leadingMs);
  const after = await clock.settle(client.query("set-aside", {}));
  assert.deepEqual(after.ok && after.value.messages, messages);
  assert.deepEqual(place.halts, []);
  await clock.settle(next.stop());
});

test("FAULT-1: the list is bounded: the same of one sender is one entry, and the oldest go first", async () => {
  const disk = new MemoryDisk();
  const clock = new VirtualClock();
  const aside = new SetAside(opened(disk), clock, assert.ifError);
  const note = (number: number) =>
    aside.note({ kind: "report", sender: "box", bytes: number, sentence: `wrong in way ${number}` });
  for (let number = 0; number < setAsideMax + 50; number++) note(number);
  note(60);
  note(60);
  aside.note({ kind: "report", sender: "x".repeat(5_000), bytes: 1, sentence: "y".repeat(1_000_000) });
  await clock.settle(aside.flush());
  const read = new SetAside(opened(disk), clock, assert.ifError).list();
  assert.deepEqual(read, aside.list());
  assert.equal(read.length, setAsideMax);
  assert.deepEqual([read[1]?.sentence, read[1]?.count], ["wrong in way 60", 3]);
  assert.ok(JSON.stringify(read[0]).length < 1_000);
});
