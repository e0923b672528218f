/** Hashed n-grams: the fast walk gives what its definition says, rows stand by frequency, ratios are naive Bayes'. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { fillLogCountRatios } from "../../training/text/nbsvm.ts";
import { bucketsOfTable, ngramDataset, NgramReader, tableFromBuckets } from "../../training/sparse/ngram.ts";
import type { NgramSetting } from "../../training/sparse/ngram-sink.ts";
import { mix } from "../../numeric/mix.ts";

const bucketBits = 12;

function datasetOf(texts: readonly string[]): TextDataset {
  const train = texts.map((text, at) => ({ text, label: at % 2 }));
  return {
    kind: "text",
    name: "made-up",
    labels: ["a", "b"],
    train,
    validation: train.slice(0, 2),
    test: [],
  };
}

/** The definition, as plainly as it can be said. */
function bucketsByDefinition(text: string, { wordNgrams, charMin, charMax }: NgramSetting): number[] {
  const hash = (part: string, salt: number) => {
    let value = 0x811c9dc5 ^ salt;
    for (let at = 0; at < part.length; at++) value = Math.imul(value ^ part.charCodeAt(at), 0x01000193);
    return mix(value);
  };
  const mask = 2 ** bucketBits - 1;
  const words = text
    .normalize("NFC")
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== "")
    .map((word) => `<${word}>`);
  const out: number[] = [];
  for (const word of words) {
    for (let from = 0; from < word.length; from++) {
      for (let size = charMin; size <= charMax && from + size <= word.length; size++) {
        if (size === 1 && (from === 0 || from === word.length - 1)) continue;
        out.push(hash(word.slice(from, from + size), 0x1b873593) & mask);
      }
    }
  }
  const hashes = [0x5bd1e995, ...words.map((word) => hash(word, 0x3c6ef372))];
  for (let from = 0; from < hashes.length; from++) {
    let value = 0;
    for (let size = 1; size <= wordNgrams && from + size <= hashes.length; size++) {
      value = mix(Math.imul(value, 31) + (hashes[from + size - 1] ?? 0));
      if (from > 0 || size > 1) out.push(value & mask);
    }
  }
  return out;
}

test("NGRAM-1: any text's rows are the buckets of the definition, in its order", () => {
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { minLength: 1, maxLength: 6 });
  const sizes = fc.record({
    wordNgrams: fc.integer({ min: 1, max: 4 }),
    charMin: fc.integer({ min: 1, max: 4 }),
    charMax: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(
    fc.property(texts, sizes, (made, size) => {
      const setting = { ...size, bucketBits, minCount: 1, binary: false };
      // Separators of all kinds between and around what was made up.
      const spaced = made.map((text) => `\u00a0${text}\t${text}\u2003x`);
      const { train, ...table } = ngramDataset(datasetOf(spaced), setting);
      const buckets = bucketsOfTable(table);
      spaced.forEach((text, at) => {
        const rows = train.rows.subarray(train.offsets[at], train.offsets[at + 1]);
        assert.deepEqual(
          Array.from(rows, (row) => buckets[row]),
          bucketsByDefinition(text, setting),
        );
      });
    }),
    { numRuns: 60 },
  );
});

test("NGRAM-2: rows are numbered from the most frequent bucket down; rare ones have none; a checkpoint's list gives them again", () => {
  const setting = { wordNgrams: 1, charMin: 1, charMax: 0, bucketBits, minCount: 2, binary: false };
  const dataset = datasetOf(["d c c b b b", "a a a a c", "never b"]);
  const made = ngramDataset(dataset, setting);
  assert.equal(made.rows, 3);
  const counts = Array.from(
    { length: made.rows },
    (_, row) => made.train.rows.filter((one) => one === row).length,
  );
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  assert.deepEqual(counts, [4, 4, 3]);
  const again = tableFromBuckets(bucketsOfTable(made), bucketBits);
  assert.deepEqual(new NgramReader(setting, again).rows(["d c c b b b"]).rows, made.train.rows.slice(0, 5));
});

test("NGRAM-3: binary: an n-gram counts once per text", () => {
  const setting = { wordNgrams: 1, charMin: 1, charMax: 0, bucketBits, minCount: 1, binary: true };
  const { train } = ngramDataset(datasetOf(["a a b a", "a b b"]), setting);
  assert.deepEqual([...train.offsets], [0, 2, 4]);
});

test("NGRAM-4: a reader gives a text the same rows whatever it read before, alone or among others", () => {
  const word = fc.constantFrom("a", "b", "c", "dd", "a b", "\u00e9");
  const texts = fc.array(
    fc.array(word, { maxLength: 8 }).map((words) => words.join(" ")),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(texts, texts, fc.boolean(), (before, given, binary) => {
      const setting = { wordNgrams: 2, charMin: 1, charMax: 3, bucketBits, minCount: 1, binary };
      const table = ngramDataset(datasetOf(["a b c", "b a dd"]), setting);
      const reader = new NgramReader(setting, table);
      reader.rows(before);
      const { offsets, rows } = reader.rows(given);
      for (const [at, text] of given.entries())
        assert.deepEqual(
          rows.slice(offsets[at], offsets[at + 1]),
          new NgramReader(setting, table).rows([text]).rows,
        );
    }),
  );
});

test("NBSVM-1: log-count ratios as in Wang and Manning 2012, worked out by hand", () => {
  // Row 0 in both texts of label 0 and in one of label 1's two; row 1 in one text of label 1; row 2 in none.
  const train = {
    offsets: Int32Array.of(0, 1, 2, 4, 4),
    rows: Int32Array.of(0, 0, 0, 1),
    labels: Int32Array.of(0, 0, 1, 1),
  };
  const values = new Float32Array(12);
  fillLogCountRatios(values, 4, train, 2, 1);
  const near = (at: number, wanted: number) => assert.ok(Math.abs((values[at] ?? NaN) - wanted) < 1e-6);
  near(0, Math.log(3 / 5 / (2 / 5)));
  near(1, -Math.log(3 / 5 / (2 / 5)));
  near(4, Math.log(1 / 5 / (2 / 5)));
  near(8, Math.log(1 / 5 / (1 / 5)));
  assert.equal(values[2], 0);
});
