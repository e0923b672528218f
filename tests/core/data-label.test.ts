/** What makes two labels one: white space at their ends does not count, and what only looks the same is told apart. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { lookAlikes, spelledOut, toldApart } from "../../text/look-alike.ts";
import { previewPlan } from "../../data/version/preview.ts";
import { built, buildFolder, declared, put, refusalOf } from "../support/dataset-build.ts";

/** Unicode's White_Space, all of it. */
const spaces = [
  9,
  10,
  11,
  12,
  13,
  32,
  0x85,
  0xa0,
  0x1680,
  0x2028,
  0x2029,
  0x202f,
  0x205f,
  0x3000,
  ...Array.from({ length: 11 }, (_, at) => 0x2000 + at),
].map((code) => String.fromCodePoint(code));
const space = fc.array(fc.constantFrom(...spaces), { maxLength: 3 }).map((parts) => parts.join(""));

test("LABEL-1: labels are the same without the white space at their ends, all that Unicode knows; the rows are counted", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(space, space), { minLength: 40, maxLength: 40 }),
      fc.constantFrom("label", "kind"),
      async (ends, label) => {
        const rows = ends.map(([before, after], row) => ({
          text: `text number ${String.fromCodePoint(0x3400 + row)}`,
          [label]: `${before}${row % 2 === 0 ? "ham" : "spam"}${after}`,
        }));
        put("spaces.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
        const { manifest } = await built(
          `name: spaces\nsources: [{path: spaces.jsonl}]\ntext: text\nlabel: ${label}\n`,
        );
        assert.deepEqual(manifest.labels, ["ham", "spam"]);
        assert.equal(
          manifest.trimmedLabels ?? 0,
          ends.filter(([before, after]) => before + after !== "").length,
        );
      },
    ),
    { numRuns: 8 },
  );
});

test("LABEL-2: labels that look the same and are not are named with what differs spelled out", () => {
  const pairs: readonly (readonly [string, string])[] = [
    ["spam", "spam\u200b"],
    ["spam", "\u2060spam"],
    ["spam", "sp\u00adam"],
    ["caf\u00e9", "cafe\u0301"],
    ["spam", "sp\u0430m"],
    ["a b", "a\u00a0b"],
    ["fish", "\ufb01sh"],
  ];
  for (const [one, other] of pairs) {
    assert.deepEqual(lookAlikes([one, "eggs", other]), [[one, other]]);
    const shown = toldApart([one, other]);
    assert.notEqual(shown.get(one), shown.get(other));
    assert.match(shown.get(other) ?? "", /\\u\{[0-9a-f]+\}|fish|a b/u);
  }
  assert.deepEqual(lookAlikes(["ham", "spam", "Ham", "ham2"]), []);
  assert.equal(spelledOut("größe 漢字 \t"), "größe 漢字 \\t");
});

const column = (sign: string, signs: number) =>
  `area,let\n${Array.from({ length: 90 }, (_, row) => `${row % 9 < signs ? sign : row},${row % 2 === 0 ? "yes" : "no"}\n`).join("")}`;

test("MISSING-1: a sign among numbers is told with what to say if there is none; ? is refused, for unknown values are called that", async () => {
  const yaml = (name: string) => `name: some\nsources: [{path: ${name}}]\ntarget: let\n`;
  put("asked.csv", column("?", 1));
  assert.match(
    await refusalOf(yaml("asked.csv")),
    /^column area: 10 of 90 values are "\?"; if that means there is none, say missing: \["\?"\] in the source$/u,
  );
  for (const sign of ["NA", "n/a", "-", "unknown"]) {
    put("signs.csv", column(sign, 2));
    const preview = await previewPlan(declared(yaml("signs.csv")), 2, {
      workDir: buildFolder,
      memoryMiB: 256,
    });
    assert.ok(preview.ok);
    assert.equal(preview.value.refusal, null);
    assert.deepEqual(preview.value.notes, [
      `column area: 20 of 90 values are "${sign}"; if that means there is none, say missing: ["${sign}"] in the source`,
    ]);
    const { report } = await built(yaml("signs.csv"));
    assert.deepEqual(report.notes, preview.value.notes);
    const taken = `name: some\nsources: [{path: signs.csv, missing: ["${sign}"]}]\ntarget: let\n`;
    const { manifest, report: silent } = await built(taken);
    assert.deepEqual([manifest.features?.[0]?.kind, silent.notes], ["numeric", []]);
  }
});
