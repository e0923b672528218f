/** Records in bytes: whatever the blocks they come in, they are cut where the writer ended them, on the right lines. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { cutRecords, fieldsOf } from "../../data/source/record.ts";

const dialect = { delimiter: 0x2c, quote: 0x22 };
const value = fc.string({ unit: fc.constantFrom("a", "é", ",", '"', "\n", " ", "b"), maxLength: 6 });
const records = fc.array(fc.array(value, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 12 });

const written = (rows: readonly (readonly string[])[]) =>
  rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(",")).join("\n");

/** Cuts bytes that arrive `size` at a time. */
function cut(bytes: Uint8Array, size: number) {
  const found: { fields: string[]; count: number; line: number; torn: boolean; open: boolean }[] = [];
  let [kept, line] = [new Uint8Array(0), 1];
  for (let from = 0; from <= bytes.length; from += size) {
    const block = Buffer.concat([kept, bytes.subarray(from, from + size)]);
    const last = from + size > bytes.length;
    const taken = cutRecords(block, block.length, last, dialect, (span) => {
      const text = block.toString("utf8", span.from, span.to);
      found.push({
        fields: fieldsOf(text, ",", '"'),
        count: span.fields,
        line,
        torn: span.torn,
        open: span.open,
      });
      line += 1 + span.innerLines;
    });
    kept = new Uint8Array(block.subarray(taken));
  }
  return found;
}

test("RECORD-1: quoted values come back whole, with their lines, however the bytes are divided", () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: 40 }), (rows, size) => {
      const found = cut(Buffer.from(written(rows)), size);
      assert.deepEqual(
        found.map(({ fields }) => fields),
        rows,
      );
      let line = 1;
      for (const [index, row] of rows.entries()) {
        assert.equal(found[index]?.line, line);
        assert.equal(found[index]?.count, row.length);
        line += 1 + (row.join("").match(/\n/gu)?.length ?? 0);
      }
    }),
  );
});

test("RECORD-2: a quote that nobody closes costs its own line only, and text after a closing quote is told", () => {
  const found = cut(Buffer.from('a,b\n"open,c\nd,e\n'), 1000);
  assert.deepEqual(
    found.map(({ open, line }) => [open, line]),
    [
      [false, 1],
      [true, 2],
      [false, 3],
    ],
  );
  assert.deepEqual(
    cut(Buffer.from('"a"b,c\nd,e'), 3).map(({ torn }) => torn),
    [true, false],
  );
});
