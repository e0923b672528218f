// Formatting, measuring and cutting of text, and the filter's words.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import stringWidth from "string-width";
import { exactPercent, finePercent, percent, percentDone } from "../../text/figure.ts";
import { trialFields } from "../../client/list/list-field.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import { sweepFixture, trialFixture } from "../support/view-fixture.ts";
import { filtered } from "../../tui/model/filter.ts";
import { age, duration, short, tokens, value } from "../../text/format.ts";
import { asciiGlyphs, glyphsFor, unicodeGlyphs } from "../../text/glyph.ts";
import { clipLine, finishLine, line, lineWidth, padLine, span } from "../../text/line.ts";
import { lineText } from "../support/line-text.ts";
import { cell, clean, clip, narrow, widthOf, wrap } from "../../text/width.ts";

const anyText = fc.string({ unit: "grapheme", maxLength: 60 });

describe("figures", () => {
  const table: readonly [string, string, string][] = [
    ["no tokens", tokens(0), "0"],
    ["few tokens", tokens(250), "0.25"],
    ["tokens rounded up to two figures", tokens(9_996), "10.0"],
    ["many tokens", tokens(123_400), "123"],
    ["thousands of tokens", tokens(1_234_000), "1.2k"],
    ["millions", short(3_400_000), "3.4M"],
    ["a whole number", short(7), "7"],
    ["under a second", duration(850), "850 ms"],
    ["seconds", duration(12_900), "12 s"],
    ["minutes", duration(185_000), "3 m 05 s"],
    ["hours", duration(7_800_000), "2 h 10 m"],
    ["days", duration(443_000_000), "5 d 3 h"],
    ["an age", age(1_000, 13_000), "12 s ago"],
    ["an age ahead of us", age(5_000, 1_000), "now"],
    ["a percent is rounded down, so that 100% is all", percentDone(999, 1000), "99%"],
    ["a percent of nothing", percentDone(1, 0), "-"],
    ["a share", percent(0.126), "13%"],
    ["a fine share", finePercent(0.126), "12.6%"],
    ["next to nothing", finePercent(0.0004), "<0.1%"],
    ["no share", finePercent(0), "0%"],
    ["a share of nothing", finePercent(0 / 0), "0%"],
    ["a share as it was written", exactPercent(0.07), "7%"],
    ["one with digits", exactPercent(0.0125), "1.25%"],
    ["a metric", value(0.91234), "0.9123"],
    ["a small metric", value(0.00123), "0.00123"],
    ["a tiny metric", value(0.0000123), "1.23e-5"],
    ["no metric", value(null), "-"],
    ["a whole metric", value(12), "12"],
  ];
  for (const [what, given, right] of table) {
    it(`${what} reads "${right}"`, () => assert.equal(given, right));
  }
});

describe("text in columns", () => {
  it("is cut with a mark, wide characters whole", () => {
    assert.equal(clip("abcdef", 4, "…"), "abc…");
    assert.equal(clip("日本語", 4, "…"), "日…");
    assert.equal(cell("ab", 4, "…", "right"), "  ab");
  });
  it("never comes out wider than asked, and a cell exactly as wide", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 30 }), (text, width) => {
        const visible = clean(text, false);
        assert.ok(widthOf(clip(visible, width, "…")) <= width);
        assert.equal(widthOf(cell(visible, width, "~")), width);
        for (const each of wrap(visible, width)) assert.ok(widthOf(each) <= Math.max(width, 2));
      }),
    );
  });
  it("is measured by its length only where Ink measures the same", () => {
    for (let code = 0; code <= 0xffff; code++) {
      const character = String.fromCharCode(code);
      if (narrow.test(character)) assert.equal(stringWidth(character), 1, `U+${code.toString(16)}`);
    }
    for (const set of [unicodeGlyphs, asciiGlyphs]) {
      const { agent, trial, sweep, spark, barPart } = set;
      for (const glyph of [...Object.values({ ...agent, ...trial, ...sweep }), ...spark, ...barPart]) {
        assert.ok(narrow.test(glyph), glyph);
      }
    }
  });
  it("loses every control character: data cannot move the cursor", () => {
    assert.equal(clean("a\u001b[31mb\u0007\u009bc\u202ed", false), "abd");
    assert.equal(clean("naïve → 日", true), "na?ve ? ?");
  });
  it("wraps at blanks, and long words anywhere", () => {
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
    assert.deepEqual(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
  });
});

describe("a line", () => {
  it("is cut and filled to the column, whatever its spans", () => {
    const spans = fc.array(anyText, { maxLength: 6 });
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 40 }), fc.boolean(), (texts, width, ascii) => {
        const made = line(...texts.map((each) => span(clean(each, false))));
        assert.ok(lineWidth(clipLine(made, width, "…")) <= width);
        assert.equal(lineWidth(padLine(made, width, "…")), width);
        const raw = line(...texts);
        const finished = finishLine(raw, width, ascii ? "~" : "…", ascii);
        assert.ok(lineWidth(finished) <= width);
        if (ascii) assert.match(lineText(finished), /^[\u0020-\u007e]*$/);
      }),
    );
  });
  it("ends without blanks, and joins neighbours of one tone", () => {
    assert.deepEqual(finishLine(line("a", "b", span("c", "good"), "   "), 20, "…", false), [
      span("ab"),
      span("c", "good"),
    ]);
  });
  it("marks what was cut off even where a span ends at the edge", () => {
    assert.equal(lineText(clipLine(line("abc", "def"), 3, "…")), "ab…");
  });
});

describe("the glyph set", () => {
  const table: readonly [Record<string, string>, boolean][] = [
    [{}, false],
    [{ LANG: "en_US.UTF-8" }, false],
    [{ LANG: "C" }, true],
    [{ LC_ALL: "C.utf8", LANG: "C" }, false],
    [{ TERM: "linux", LANG: "C.UTF-8" }, true],
    [{ TRIALMESH_ASCII: "1", LANG: "C.UTF-8" }, true],
    [{ TRIALMESH_ASCII: "0" }, false],
  ];
  for (const [env, ascii] of table) {
    it(`is ${ascii ? "ASCII" : "Unicode"} with ${JSON.stringify(env)}`, () => {
      assert.equal(glyphsFor(env), ascii ? asciiGlyphs : unicodeGlyphs);
    });
  }
  it("has a glyph of its own for every state, so that no state is told by colour alone", () => {
    for (const set of [unicodeGlyphs, asciiGlyphs]) {
      for (const states of [set.agent, set.trial, set.sweep]) {
        assert.equal(new Set(Object.values(states)).size, Object.keys(states).length);
      }
    }
  });
});

describe("the filter", () => {
  const fields = { agent: "attic", state: "closed", os: "linux" };
  const table: readonly [string, boolean][] = [
    ["", true],
    ["att", true],
    ["ATTIC lin", true],
    ["attic windows", false],
    ["!attic", false],
    ["!desk", true],
    ["~atc", true],
    ["~cta", false],
    ["state:clo", true],
    ["agent:closed", false],
    ["!state:closed", false],
    ["nofield:x", false],
    ["!", true],
  ];
  for (const [filter, right] of table) {
    it(`"${filter}" ${right ? "matches" : "does not match"}`, () => {
      assert.equal(filtered([fields], filter, (each) => each).length === 1, right);
    });
  }

  const trials = [0.1, 0.2, 0.3].map((lr, index) =>
    trialFixture("s1", index + 1, { params: { lr, "a b": index }, metrics: { "acc@1": 1 - lr } }),
  );
  const listed = trialFields({ summary: sweepFixture("s1"), spaces: {}, alsoObjectives: [] });
  const compared: readonly [string, readonly number[]][] = [
    ["lr>0.15", [2, 3]],
    ["lr>0.15 acc@1>0.75", [2]],
    ['"a b"<2 s1', [1, 2]],
    ["lr>", [1, 2, 3]],
    ["LR>0.15", []],
    ["lr=0.2", [2]],
    ["nothing>1", []],
    ["!lr=0.2", [1, 3]],
  ];
  for (const [filter, numbers] of compared) {
    it(`"${filter}" compares, as --where does, and is a text where it names nothing`, () => {
      const rows = filtered(
        trials,
        filter,
        ({ params, trial }) => ({ trial, params: formatParams(params) }),
        listed,
      );
      assert.deepEqual(
        rows.map(({ number }) => number),
        numbers,
      );
    });
  }
});
