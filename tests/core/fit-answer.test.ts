/** Answers that are larger than a message: what is left out, that it is said, and that nothing else changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerBytes, answerBytesMax } from "../../coordinator/view/fit-answer.ts";
import { answerSchema } from "../../protocol/command.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse } from "../../protocol/refusal.ts";

function read(bytes: Uint8Array) {
  const answer = answerSchema.parse(fromBytes(bytes));
  assert.ok(answer.ok);
  return { value: answer.value as Record<string, unknown[]>, cut: answer.cut ?? [] };
}

const numbered = (count: number, characters: number) =>
  Array.from({ length: count }, (_, at) => `${at} ${"x".repeat(characters)}`);

test("SIZE-7: an answer that fits is sent as it is", () => {
  const answer = accept({ lines: numbered(100, 100) });
  assert.deepEqual(answerBytes("it", answer), toBytes(answer));
});

test("SIZE-7: of agents the first are listed, of log lines the last, of a curve some all along and its end", () => {
  const agents = read(answerBytes("it", accept({ agents: numbered(5_000, 1_000), slots: [1] })));
  assert.equal(agents.value["agents"]?.[0], numbered(1, 1_000)[0]);
  assert.deepEqual(agents.value["slots"], [1]);
  assert.deepEqual(agents.cut, [{ list: "agents", left: 5_000 - (agents.value["agents"]?.length ?? 0) }]);
  const logs = read(answerBytes("it", accept({ lines: numbered(2_000, 2_000) })));
  assert.equal(logs.value["lines"]?.at(-1), numbered(2_000, 2_000).at(-1));
  const curve = read(answerBytes("it", accept({ points: numbered(10_000, 300) })));
  const points = curve.value["points"] ?? [];
  assert.equal(points.at(-1), numbered(10_000, 300).at(-1));
  const places = points.map((point) => Number(String(point).split(" ")[0]));
  const gaps = places.slice(1).map((place, index) => place - (places[index] ?? 0));
  assert.ok(
    Math.max(...gaps) <= 2 * Math.min(...gaps) + 1,
    `gaps of ${Math.min(...gaps)} to ${Math.max(...gaps)}`,
  );
});

test("SIZE-7: whatever an answer holds, it fits, and what is left out of each list is told exactly", () => {
  const list = fc.record({
    count: fc.integer({ min: 0, max: 3_000 }),
    characters: fc.integer({ min: 0, max: 3_000 }),
  });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("a", "b", "lines", "points", "rest"), list), (lists) => {
      const value = Object.fromEntries(
        Object.entries(lists).map(([name, { characters, count }]) => [name, numbered(count, characters)]),
      );
      const bytes = answerBytes("it", accept(value));
      assert.ok(bytes.length <= answerBytesMax, `${bytes.length} bytes`);
      const answer = read(bytes);
      for (const [name, { count }] of Object.entries(lists)) {
        const left = answer.cut.find((cut) => cut.list === name)?.left ?? 0;
        assert.equal((answer.value[name]?.length ?? 0) + left, count, name);
      }
    }),
    { numRuns: 15 },
  );
});

test("SIZE-7: of curves of any length the last point stays, and as many are left out as is said", () => {
  for (let count = 2_000; count < 2_400; count += 7) {
    const answer = read(answerBytes("it", accept({ points: numbered(count, 1_673) })));
    const points = answer.value["points"] ?? [];
    assert.equal(points.at(-1), numbered(count, 1_673).at(-1), `${count} points`);
    assert.equal(points.length + (answer.cut[0]?.left ?? 0), count);
  }
  const found = read(answerBytes("it", accept({ points: numbered(2_349, 1_673) })));
  assert.equal((found.value["points"]?.length ?? 0) + (found.cut[0]?.left ?? 0), 2_349);
});

test("SIZE-7: what has no list to shorten is refused with its size", () => {
  const answer = answerSchema.parse(fromBytes(answerBytes("the query trial", accept("x".repeat(2_000_000)))));
  assert.ok(!answer.ok);
  assert.match(answer.refusal.message, /^the answer to the query trial has 1954 KiB, more than the 960 KiB/);
  const refused = answerSchema.parse(fromBytes(answerBytes("it", refuse("unknown", "x".repeat(2_000_000)))));
  assert.ok(!refused.ok);
});

test("SIZE-7: of thousands of known names a refusal tells some, and says how many more there are", () => {
  const known = Array.from({ length: 5_000 }, (_, at) => `agent-number-${at}`);
  const told = suggestion("zzzzzzzzzzzzzzzzzzzzzzzzzz", known);
  assert.match(told, /^known: agent-number-0, .* and 4980 more$/);
  assert.ok(suggestion("z".repeat(1_000_000), known).length < 1_000);
});
