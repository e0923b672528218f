// The journal over every Bus: fenced appends, the hash chain, reading back a lost answer, a journal that lost its tail.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { genesisHash, hashOf } from "../../coordinator/journal/batch.ts";
import { Journal, JournalBroken, startPosition, type Position } from "../../coordinator/journal/journal.ts";
import type { Event } from "../../coordinator/format/event.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import type { MemoryBus } from "../support/bus/memory-bus.ts";
import { MemoryHub } from "../support/bus/memory-hub.ts";
import { streamSpecsOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { busWorlds, type BusMesh } from "../support/bus-mesh.ts";
import { keysOf } from "../support/order-key.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const keys = keysOf("j");
const elected = (epoch: number): Event => ({ kind: "LeaderElected", epoch, leader: `leader-${epoch}` });
const seen = (agent: string): Event => ({ kind: "AgentSeen", agent });
/** As the version before wrote it. */
const plain = (prev: string, epoch: number, ...events: Event[]) =>
  toBytes({ v: 2, epoch, prev, at: 5, events });

for (const world of busWorlds) {
  describe(`journal (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let bus: Bus;
    before(async () => {
      mesh = await world.start();
      bus = await mesh.connect("writer");
      for (const spec of streamSpecsOf("j", 1, "secret")) await mesh.settle(bus.ensureStream(spec));
    });
    after(() => mesh.stop());
    const open = (of: Bus = bus) => new Journal(of, "j", systemClock, keys);
    const append = (journal: Journal, from: Position, epoch: number, ...events: Event[]) =>
      mesh
        .settle(journal.append(from, epoch, 5, events, () => false))
        .then((entry) => entry?.position ?? null);

    test("JOURNAL-2: of two leaders only one can write; the other learns it from its own append", async () => {
      const [one, two] = [open(), open(await mesh.connect("other"))];
      const first = await append(one, startPosition, 1, elected(1));
      assert.ok(first !== null);
      const usurped = await append(two, first, 2, elected(2));
      assert.ok(usurped !== null);
      assert.equal(await append(one, first, 1, seen("late")), null);
      assert.notEqual(await append(two, usurped, 2, seen("kept")), null);
      const entries = await mesh.settle(open().readAfter(startPosition));
      assert.deepEqual(
        entries.map(({ batch }) => batch.events[0]?.kind),
        ["LeaderElected", "LeaderElected", "AgentSeen"],
      );
    });

    test("JOURNAL-1: a message that does not follow from its predecessor is not believed", async () => {
      const entries = await mesh.settle(open().readAfter(startPosition));
      const last = entries.at(-1)?.position;
      assert.ok(last !== undefined);
      const { bytes: forged } = open().entryAfter({ ...last, hash: genesisHash }, 2, 5, {
        events: [seen("forged")],
      });
      await mesh.settle(bus.append(streamsOf("j").journal, subjectsOf("j").journal("secret"), forged));
      await assert.rejects(mesh.settle(open().readAfter(last)), /does not follow from message/);
    });

    test("JOURNAL-4: a journal shorter than, or other than, what was seen halts", async () => {
      await assert.rejects(mesh.settle(open().verify({ sequence: 99, hash: "x" })), /has lost its tail/);
      await assert.rejects(
        mesh.settle(open().verify({ sequence: 1, hash: "x" })),
        /not the one that was seen/,
      );
    });
  });
}

test("JOURNAL-5: a server that lost its tail gets it back from our copy, one that differs does not", async () => {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1 });
  const bus = hub.connect("writer");
  for (const spec of streamSpecsOf("j", 1, "secret")) await clock.settle(bus.ensureStream(spec));
  const journal = new Journal(bus, "j", clock, keys);
  const copies = new Map<number, Uint8Array>();
  let position = startPosition;
  for (const event of [elected(1), seen("a"), seen("b"), seen("c")]) {
    const entry = await clock.settle(journal.append(position, 1, 5, [event], () => false));
    assert.ok(entry !== null);
    position = entry.position;
    copies.set(position.sequence, entry.bytes);
  }
  hub.loseTail(streamsOf("j").journal, 2);
  await assert.rejects(clock.settle(journal.verify(position)), JournalBroken);
  const copyAt = (sequence: number) => copies.get(sequence) ?? null;
  assert.equal(await clock.settle(journal.restore(position, copyAt)), 2);
  await clock.settle(journal.verify(position));
  assert.equal((await clock.settle(journal.readAfter(startPosition))).length, 4);
  hub.loseTail(streamsOf("j").journal, 3);
  copies.set(1, plain(genesisHash, 1, elected(1)));
  await assert.rejects(clock.settle(journal.restore(position, copyAt)), /differs from our copy/);
});

/** Makes the next append of this bus happen, or not, and lose its answer either way. */
function withLostAnswer(bus: MemoryBus, happens: boolean): Bus {
  const append = bus.append.bind(bus);
  let lost = false;
  bus.append = async (...args) => {
    if (lost) return append(...args);
    lost = true;
    if (happens) await append(...args);
    throw new BusError("unavailable", "no answer");
  };
  return bus;
}

for (const happens of [true, false]) {
  test(`JOURNAL-3: an append whose answer was lost and which ${happens ? "happened" : "did not happen"} stands once`, async () => {
    const clock = new VirtualClock();
    const hub = new MemoryHub({ clock, seed: 1 });
    const bus = hub.connect("writer");
    for (const spec of streamSpecsOf("j", 1, "secret")) await clock.settle(bus.ensureStream(spec));
    const journal = new Journal(withLostAnswer(bus, happens), "j", clock, keys);
    const position = await clock.settle(journal.append(startPosition, 1, 5, [elected(1)], () => true));
    assert.equal(position?.position.sequence, 1);
    const entries = await clock.settle(new Journal(bus, "j", clock, keys).readAfter(startPosition));
    assert.equal(entries.length, 1);
  });
}

test("JOURNAL-3: a lost answer while another leader wrote means stepping down", async () => {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1 });
  const bus = hub.connect("writer");
  for (const spec of streamSpecsOf("j", 1, "secret")) await clock.settle(bus.ensureStream(spec));
  const rival = new Journal(hub.connect("rival"), "j", clock, keys);
  const journal = new Journal(withLostAnswer(bus, false), "j", clock, keys);
  const ours = journal.append(startPosition, 1, 5, [elected(1)], () => true);
  await clock.settle(rival.append(startPosition, 1, 6, [elected(1)], () => true));
  assert.equal(await clock.settle(ours), null);
});

/** A journal in which these messages stand, as a reader finds it. */
async function journalOf(messages: readonly Uint8Array[]) {
  const clock = new VirtualClock();
  const bus = new MemoryHub({ clock, seed: 1 }).connect("reader");
  for (const spec of streamSpecsOf("j", 1, "secret")) await clock.settle(bus.ensureStream(spec));
  for (const message of messages)
    await clock.settle(bus.append(streamsOf("j").journal, subjectsOf("j").journal("secret"), message));
  const journal = new Journal(bus, "j", clock, keys);
  return { journal, read: () => clock.settle(journal.readAfter(startPosition)) };
}

describe("JOURNAL-7: once a coordinator has signed, nothing but what coordinators sign is believed", () => {
  const old = plain(genesisHash, 1, elected(1));
  const older: Position = { sequence: 1, hash: hashOf(old), signedFrom: null };
  const clock = new VirtualClock();
  const bus = new MemoryHub({ clock, seed: 1 }).connect("writer");
  const signed = (from: Position, by = keys) =>
    new Journal(bus, "j", clock, by).entryAfter(from, 2, 6, { events: [elected(2)] });

  test("a journal that an older version began goes on, and says at which message signing began", async () => {
    const second = signed(older);
    const third = signed(second.position);
    const entries = await (await journalOf([old, second.bytes, third.bytes])).read();
    assert.deepEqual(
      entries.map(({ position }) => position.signedFrom),
      [null, 2, 2],
    );
  });

  const refused: readonly [what: string, messages: () => readonly Uint8Array[], why: RegExp][] = [
    [
      "one without a signature, whose hash is right",
      () => {
        const first = signed(startPosition);
        return [first.bytes, plain(first.position.hash, 2, seen("forged"))];
      },
      /message 2 cannot be read: it is not signed by a coordinator of mesh j/,
    ],
    [
      "one signed by a coordinator of another mesh",
      () => {
        const first = signed(startPosition);
        return [first.bytes, signed(first.position, keysOf("other")).bytes];
      },
      /message 2 cannot be read: it is not signed/,
    ],
    [
      "one whose body was changed",
      () => {
        const { bytes } = signed(startPosition);
        const text = Buffer.from(bytes).toString("latin1");
        return [Buffer.from(text.replace("leader-2", "leader-3"), "latin1")];
      },
      /message 1 cannot be read: it is not signed/,
    ],
    [
      "one that says signing began elsewhere",
      () => {
        const first = signed(startPosition);
        return [first.bytes, signed({ ...first.position, signedFrom: 2 }).bytes];
      },
      /says that signing began at message 2, not at message 1/,
    ],
    [
      "a first one that says it is not the first",
      () => [signed({ ...startPosition, signedFrom: 9 }).bytes],
      /says that signing began at message 9, not at message 1/,
    ],
  ];
  for (const [what, messages, why] of refused) {
    test(`${what} is refused`, async () => {
      const { read } = await journalOf(messages());
      await assert.rejects(read(), (error) => error instanceof JournalBroken && why.test(error.message));
    });
  }
});
