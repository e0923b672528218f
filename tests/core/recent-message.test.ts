/** What is remembered of messages that were just read: never other than what the stream has, and bounded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecentMessages } from "../../coordinator/view/recent-message.ts";
import { SpanMemory } from "../../coordinator/view/span-memory.ts";
import type { DatedEntry } from "../../protocol/bus/bus.ts";

const around = 200;
const entry = (subject: string, sequence: number): DatedEntry => ({
  ...{ subject, sequence, storedAt: sequence, data: new Uint8Array(sequence % 7) },
});

test("ARCHIVE-6: what is remembered between two sequences is all that was read there, or nothing", () => {
  const read = fc.record({ subject: fc.constantFrom("a", "b", "c"), messages: fc.nat(20), gap: fc.nat(3) });
  fc.assert(
    fc.property(
      fc.array(read, { maxLength: 40 }),
      fc.nat(60 * around),
      fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(120), fc.nat(60)), { maxLength: 20 }),
      (reads, bytesMax, asked) => {
        const recent = new RecentMessages(bytesMax);
        const all = new Map<string, DatedEntry[]>();
        const next = new Map<string, number>();
        for (const { gap, messages, subject } of reads) {
          // A subject has holes: what others said lies between.
          const from = next.get(subject) ?? 1;
          const entries = Array.from({ length: messages }, (_, n) => entry(subject, from + gap + 2 * n));
          const before = (entries.at(-1)?.sequence ?? from - 1) + 1;
          if (entries.length > 0) recent.add(subject, from, before, entries);
          all.set(subject, [...(all.get(subject) ?? []), ...entries]);
          next.set(subject, before);
        }
        for (const [subject, first, length] of asked) {
          const found = recent.between(subject, first, first + length);
          if (found === null) continue;
          const there = (all.get(subject) ?? []).filter(
            ({ sequence }) => sequence >= first && sequence <= first + length,
          );
          assert.deepEqual(found, there);
        }
        const [kept] = [...all.values()].toSorted((a, b) => b.length - a.length);
        const last = kept?.at(-1);
        // The newest is there, where it fits at all.
        if (last !== undefined && bytesMax > 60 * around)
          assert.notEqual(recent.between(last.subject, last.sequence, last.sequence), null);
      },
    ),
  );
});

test("ARCHIVE-6: what was read with a hole before it, or of a stream that began anew, is not joined to what was before", () => {
  const recent = new RecentMessages();
  recent.add("a", 1, 4, [entry("a", 3)]);
  recent.add("a", 4, 6, [entry("a", 5)]);
  assert.equal(recent.between("a", 1, 5)?.length, 2);
  recent.add("a", 9, 11, [entry("a", 10)]);
  assert.equal(recent.between("a", 1, 10), null);
  assert.equal(recent.between("a", 9, 10)?.length, 1);
  assert.equal(recent.between("a", 9, 11), null, "what may come still");
  recent.drop("a");
  assert.equal(recent.between("a", 9, 10), null);
});

test("ARCHIVE-6: of the attempts that were heard last it is known where all their messages lie", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(30), { maxLength: 200 }), (min, fences) => {
      const spans = new SpanMemory(min);
      const heard = new Map<number, number[]>();
      for (const [at, fence] of fences.entries()) {
        spans.note(fence, at + 1);
        heard.set(fence, [...(heard.get(fence) ?? []), at + 1]);
      }
      const newest = new Set(fences.toReversed());
      for (const fence of [...newest].slice(0, min)) {
        const span = spans.get(fence) ?? assert.fail(`${fence} is forgotten`);
        assert.equal(span.last, heard.get(fence)?.at(-1));
        // Whoever was among the last all the time is known from the first on.
        if (new Set(fences.slice(span.first - 1)).size <= min)
          assert.equal(span.count, heard.get(fence)?.filter((one) => one >= span.first).length);
      }
    }),
  );
});
