/**
 * Journals that older versions wrote, replayed on the ordinary reading path: parse, lift, apply. They are never made anew:
 * where a test here fails, the code has stopped reading what is kept in people's meshes.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { apply } from "../../coordinator/core/apply.ts";
import { hashOf } from "../../coordinator/journal/batch.ts";
import { Journal } from "../../coordinator/journal/journal.ts";
import { MemoryHub } from "../support/bus/memory-hub.ts";
import { streamSpecsOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { withoutLaterRefills } from "../golden/fact.ts";
import { goldenHomes, goldenJournal, stateDigest } from "../golden/golden-home.ts";
import { factsOfState } from "../golden/state-fact.ts";
import { trustOf } from "../support/order-key.ts";
import { auditJournal, type JournalAudit } from "../support/journal-audit.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** Puts the messages into a server in memory and reads them there as a coordinator does. */
function replay(mesh: string, messages: readonly Uint8Array[]): Promise<JournalAudit> {
  const clock = new VirtualClock();
  const bus = new MemoryHub({ clock, seed: 1 }).connect("reader");
  const read = async () => {
    for (const spec of streamSpecsOf(mesh, 1, "secret")) await bus.ensureStream(spec);
    for (const message of messages)
      await bus.append(streamsOf(mesh).journal, subjectsOf(mesh).journal("secret"), message);
    return auditJournal(new Journal(bus, mesh, clock, { trust: trustOf(mesh) }));
  };
  return clock.settle(read());
}

test("GOLDEN-1: the golden homes are numbered from 1, and none is gone", () => {
  const numbers = goldenHomes().map(({ number }) => number);
  assert.ok(numbers.length > 0);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

for (const { number, record } of goldenHomes()) {
  describe(`the journal of golden home ${number}`, () => {
    const messages = goldenJournal(number);
    let audit: JournalAudit;
    before(async () => {
      audit = await replay(record.mesh, messages);
    });

    test("GOLDEN-2: it is whole, and every rule holds at every event", () => {
      const last = messages.at(-1);
      assert.equal(messages.length, record.journal.messages);
      assert.equal(last === undefined ? "" : hashOf(last), record.journal.lastHash);
      assert.deepEqual(audit.violations, []);
    });

    test("GOLDEN-3: it adds up to what its own version made of it", () => {
      assert.deepEqual(factsOfState(audit.state), record.facts);
    });

    test("GOLDEN-4: the whole state is what its own version made of it", () => {
      assert.equal(stateDigest(audit.state, record.state.projectionVersion), record.state.sha256);
    });

    test("GOLDEN-11: refills since then are told from everything else that may have changed", async () => {
      const { state } = await replay(record.mesh, messages);
      const { at } = state.meta;
      const requester = "owner";
      apply(state, { kind: "TokensRefilled", requester, amount: 5_000, until: at }, at);
      assert.notDeepEqual(factsOfState(state), record.facts);
      assert.deepEqual(withoutLaterRefills(factsOfState(state), record.facts), record.facts);
      apply(state, { kind: "TokensGranted", requester, amount: 1, by: requester, note: "" }, at);
      assert.notDeepEqual(withoutLaterRefills(factsOfState(state), record.facts), record.facts);
    });
  });
}
