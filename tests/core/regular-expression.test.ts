/** Others' regular expressions are RE2's: what Go makes of each was recorded from Go itself. */
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { metricReader } from "../../agent/program/read-metrics.ts";
import { regularExpression } from "../../text/regular-expression.ts";
import { processorMs } from "../support/processor-time.ts";

function matchesOf(source: string, text: string) {
  const read = regularExpression(source);
  assert.ok(read.ok, read.ok ? "" : read.refusal.message);
  return read.value.matches(text).map(({ groups }) => groups.map((group) => group?.text ?? null));
}

function faultOf(source: string): string {
  const read = regularExpression(source);
  assert.ok(!read.ok, `${source} is taken`);
  return read.refusal.message;
}

describe("RE-1: what Go has and JavaScript writes in another way, or not at all", () => {
  const table: readonly [source: string, text: string, matches: readonly (readonly (string | null)[])[]][] = [
    ["([[:word:]]+) -> ([[:digit:].]+)", "val_acc -> 0.75", [["val_acc", "0.75"]]],
    [
      "([[:^space:]]+)=([[:digit:]]+)",
      "a=1 b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    ["(?P<key>acc)=(?P<figure>[0-9.]+)", "acc=0.5", [["acc", "0.5"]]],
    ["(?P<n>a)=(1)|(?P<n>b)=(2)", "b=2", [[null, null, "b", "2"]]],
    ["(?P<constructor>a)=(1)", "a=1", [["a", "1"]]],
    ["(?i)(VAL) is (\\d+)", "val IS 3", [["val", "3"]]],
    ["(?i:VAL)(?-i: is) (\\d+)", "val IS 3, Val is 4", [["4"]]],
    ["(?s)(a).(b)", "a\nb", [["a", "b"]]],
    ["(?m)^(b)$", "a\nb\nc", [["b"]]],
    [
      "(?U)(a+)(a*)",
      "aaa",
      [
        ["a", ""],
        ["a", ""],
        ["a", ""],
      ],
    ],
    ["(\\w+) -> ([0-9.]+)\\z", "acc -> 0.75", [["acc", "0.75"]]],
    ["\\A(\\w+)=(\\d)", "a=1 b=2", [["a", "1"]]],
    ["\\Qa.b[\\E(=)(\\d)", "a.b[=3 axb[=4", [["=", "3"]]],
    ["(\\pL+)=(\\d)", "größe=3", [["größe", "3"]]],
    ["(\\p{Greek})=(\\d)", "λ=3 l=4", [["λ", "3"]]],
    ["([\\x{1F600}-\\x{1F64F}])=(\\d)", "😀=3", [["😀", "3"]]],
    ["(.)=(\\d)", "😀=3", [["😀", "3"]]],
    ["(\\w)\\s=(\\d)", "a\u00a0=3 a =4", [["a", "4"]]],
    ["([]a]+)=(\\d)", "a]=3", [["a]", "3"]]],
    ["(.+)\\r=(\\d)", "a\u2028b\r=3", [["a\u2028b", "3"]]],
    ["(a{,2})=(\\d)", "a{,2}=3", [["a{,2}", "3"]]],
  ];
  for (const [source, text, matches] of table)
    test(source, () => assert.deepEqual(matchesOf(source, text), matches));
});

describe("RE-2: what RE2 does not have is named, with what would do", () => {
  const table: readonly [source: string, fault: RegExp][] = [
    ["(acc) -> (?=([0-9.]+))", /^looks ahead by \(\?=…\), which RE2 does not have/],
    ["(acc)(?!x)(1)", /^looks ahead by \(\?!…\)/],
    ["(?<=loss)(a)(b)", /^looks behind by \(\?<=…\)/],
    ["(?<!loss)(a)(b)", /^looks behind by \(\?<!…\)/],
    ["(a)(b)\\1", /^refers back by \\1/],
    ["(?<q>a)(b)\\k<q>", /^refers back by \\k/],
    ["(?P<q>a)(b)(?P=q)", /^refers back by \(\?P=…\)/],
    ["(?>a)(b)(c)", /^has an atomic group/],
    ["(a++)(b)", /^has a possessive repetition \+\+/],
    ["(a**)(b)", /^repeats a repetition by \*\*/],
    ["(a)(b)\\Z", /^has \\Z, which RE2 does not have; \\z is the end/],
    ["(\\u0041)(b)", /^has \\u, which RE2 does not have; .*\\x\{20AC\}/],
    ["(?x) (a) (b)", /^has \(\?x, which RE2 does not have/],
    ["(a)(b)(?#c)", /^has a comment/],
    ["(?(1)a)(b)", /^has a condition/],
    ["(?|(a)|(b))(c)", /^resets its groups/],
    ["(a)(b){1001}", /^repeats by \{1001\}, and 1000/],
    ["(a{3,1})(b)", /^repeats by \{3,1\}/],
    ["((a{100}){100})(b)", /1000/],
    ["(*)(b)", /^has nothing before \* that it could repeat/],
    ["(?P<a b>c)(d)", /^has a group whose name is not made of letters/],
    ["([z-a])(b)", /^has a range of characters that ends before it begins/],
    ["([a-\\d])(b)", /^has a range of characters that ends with the class \\d/],
    ["(\\p{Klingon})(b)", /^has a class of characters that RE2 does not know: \\p\{Klingon\}/],
    ["([a)(b)", /^has a \[ without a \]/],
    ["((a)(b)", /^has a \( without a \)/],
    ["(a))(b)", /^has a \) without a \(/],
    ["(a)(b)\\", /^ends with a backslash/],
    ["(\\C)(b)", /^has \\C, which RE2 does not have/],
    [`${"(".repeat(1_500)}a${")".repeat(1_500)}`, /^has more than 1000 groups in one another/],
  ];
  for (const [source, fault] of table) test(source.slice(0, 40), () => assert.match(faultOf(source), fault));
});

/** Patterns that mean the same in both dialects, and texts they may find something in. */
const atom = fc.constantFrom(
  "a",
  "b",
  "=",
  "\\d",
  "\\w",
  "\\.",
  "[a-c]",
  "[^=]",
  "(a|b)",
  "(\\d+)",
  "(?:ab)",
  "^",
  "$",
  "\\b",
);
const common = fc
  .array(fc.tuple(atom, fc.constantFrom("", "", "", "*", "+", "?", "*?", "{2}")), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.map(([one, count]) => (/^(\^|\$|\\b)$/.test(one) ? one : one + count)).join(""));

test("RE-3: where both dialects mean the same, the same is found", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "=", "1", "2", ".", " "), maxLength: 12 });
  fc.assert(
    fc.property(common, text, (source, line) => {
      const plain = [...line.matchAll(new RegExp(source, "g"))].filter(([whole]) => whole !== "");
      // A group in a repetition: JavaScript forgets what an earlier round took, RE2 keeps it.
      fc.pre(!/\)[*+?{]/.test(source));
      assert.deepEqual(
        matchesOf(source, line),
        plain.map(([, ...groups]) => groups.map((group) => group ?? null)),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("RE-4: any text is a pattern or refused by a sentence, never thrown", () => {
  const piece = fc.constantFrom(
    "(",
    ")",
    "(?",
    "(?P<",
    "<",
    ">",
    "[",
    "[[:",
    ":]]",
    "]",
    "{",
    "}",
    "1",
    ",",
    "\\",
    "*",
    "+",
    "?",
    "|",
    "a",
    "Q",
    "E",
    "p",
    "z",
    "^",
    "$",
    "é",
    "\u0000",
  );
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 14 }), (source) => {
      const read = regularExpression(source);
      if (!read.ok) assert.doesNotMatch(read.refusal.message, /error parsing|regexp\/syntax|undefined/);
    }),
    { numRuns: 5_000 },
  );
});

describe("RE-5: patterns that take for ever elsewhere are through a line in no time", () => {
  const patterns = [
    "(a+)+(b)",
    "((a|aa)+)+(c)",
    "(\\w+\\s?)+: ([0-9.]+)",
    "(.*)(.*)(.*)(.*)(.*)x",
    "(a?){1000}(b)",
  ];
  for (const pattern of patterns)
    test(pattern, () => {
      const read = metricReader([pattern]);
      const startedAt = processorMs();
      for (let n = 0; n < 5; n++) read("a".repeat(10_000));
      assert.ok(processorMs() - startedAt < 2_000);
    });
});

test("RE-6: a pattern from before RE2 was asked for, which only JavaScript knows, still reads", () => {
  assert.deepEqual(metricReader(["(acc) -> (?=([0-9.]+))"])("acc -> 0.5"), [{ metric: "acc", value: 0.5 }]);
});

test("RE-7: name and value are taken without the blanks around them, as Katib takes them", () => {
  assert.deepEqual(metricReader(["([a-z ]+):([ 0-9.]+)"])(" acc : 0.5 "), [{ metric: "acc", value: 0.5 }]);
});
