/** Rows of every kind to ask exported models: empty, of any letters, very long, of words and values that training never saw. */
import fc from "fast-check";
import { workloadDataset } from "../../agent/capability/workload.ts";

const seen = workloadDataset()
  .train.slice(0, 40)
  .map(({ text }) => text);

/** Code units in any order, halves of pairs among them. */
const halves = fc
  .array(fc.integer({ min: 0xd700, max: 0xe100 }), { maxLength: 12 })
  .map((units) => String.fromCharCode(...units));

const spaces = fc
  .array(
    fc.constantFrom(
      " ",
      "\t",
      "\n",
      "\u000b",
      "\u0085",
      "\u00a0",
      "\u2003",
      "\u2028",
      "\u3000",
      "\ufeff",
      "\u200b",
      "a",
      "Σ",
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(""));

const long = fc
  .tuple(fc.constantFrom(...seen, "x", "the ", "Ωμέγα "), fc.integer({ min: 50, max: 600 }))
  .map(([text, times]) => text.repeat(times));

export const anyText = fc.oneof(
  fc.constantFrom(...seen),
  fc.array(fc.constantFrom(...seen), { maxLength: 4 }).map((parts) => parts.join(" ").toUpperCase()),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  halves,
  spaces,
  long,
  fc.constantFrom("", " ", "İstanbul ΟΔΟΣ ǅ ﬁ ẞ", "\u0041\u030a é e\u0301", "😀👍🏽 日本語"),
);

export const textRows = fc.array(
  anyText.map((text) => ({ text })),
  { minLength: 1, maxLength: 5 },
);

/** Far from what training saw, yet not so far that single precision loses in sums what is asked for. */
const value = fc.oneof(
  fc.double({ min: -5, max: 5, noNaN: true }),
  fc.double({ min: -50, max: 50, noNaN: true }),
  fc.constantFrom(0, -0, 1e-30, null),
);

export function tableRows(features: readonly string[]) {
  return fc
    .array(fc.tuple(...features.map(() => value)), { minLength: 1, maxLength: 5 })
    .map((rows) =>
      rows.map((cells) => Object.fromEntries(features.map((name, at) => [name, cells[at] ?? null]))),
    );
}
