/** Labelled lines as they are found in the wild: mixed encodings, blank lines, lines that are no example. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseLabelledLines } from "../../data/labelled-line.ts";

const bytesOf = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));

const table: {
  rule: string;
  bytes: Uint8Array;
  examples: [string, string][];
  bad: number[];
  latin1: number[];
}[] = [
  {
    rule: "LL-1: label, white space, text",
    bytes: bytesOf("0 What is it ?\n1\tyes\n"),
    examples: [
      ["0", "What is it ?"],
      ["1", "yes"],
    ],
    bad: [],
    latin1: [],
  },
  {
    rule: "LL-2: the last line needs no newline",
    bytes: bytesOf("a b"),
    examples: [["a", "b"]],
    bad: [],
    latin1: [],
  },
  {
    rule: "LL-3: CR LF and blank lines are no text",
    bytes: bytesOf("a b c\r\n\r\n  \nd e\r\n"),
    examples: [
      ["a", "b c"],
      ["d", "e"],
    ],
    bad: [],
    latin1: [],
  },
  {
    rule: "LL-4: a line that is not UTF-8 is read as ISO-8859-1",
    bytes: bytesOf("0 größe\n1 sister", [0xad], "city\n0 ok\n"),
    examples: [
      ["0", "größe"],
      ["1", "sister\u00adcity"],
      ["0", "ok"],
    ],
    bad: [],
    latin1: [2],
  },
  {
    rule: "LL-5: a label without a text is kept aside with its number",
    bytes: bytesOf("0 a\n1\n0 b\n"),
    examples: [
      ["0", "a"],
      ["0", "b"],
    ],
    bad: [2],
    latin1: [],
  },
  {
    rule: "LL-6: a byte order mark is no part of the label",
    bytes: bytesOf([0xef, 0xbb, 0xbf], "0 a\n"),
    examples: [["0", "a"]],
    bad: [],
    latin1: [],
  },
  {
    rule: "LL-7: binary lines are kept aside",
    bytes: bytesOf("0 a", [0], "b\n"),
    examples: [],
    bad: [1],
    latin1: [],
  },
];

for (const { rule, bytes, examples, bad, latin1 } of table) {
  test(rule, () => {
    const read = parseLabelledLines(bytes);
    assert.deepEqual(
      read.examples.map(({ label, text }) => [label, text]),
      examples,
    );
    assert.deepEqual(
      read.bad.map((line) => line.line),
      bad,
    );
    assert.deepEqual(read.latin1Lines, latin1);
  });
}

test("LL-8: every line is an example, bad or blank, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { examples, bad } = parseLabelledLines(bytes);
      const lines = Buffer.from(bytes).toString("latin1").split("\n").length;
      assert.ok(examples.length + bad.length <= lines);
      for (const one of examples) assert.ok(one.label !== "" && one.text !== "");
    }),
  );
});
