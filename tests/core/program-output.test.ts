/** What is made of a program's output: lines, metrics, the lines that are kept, and the one that says why it failed. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { LastWords } from "../../agent/program/last-words.ts";
import { LogGate } from "../../agent/program/log-gate.ts";
import { LineReader } from "../../agent/program/read-lines.ts";
import { metricReader } from "../../agent/program/read-metrics.ts";
import type { Report } from "../../agent/program/metric-report.ts";

/** What the usual reading must find: Katib's default with more letters, and numbers that end where they end; it takes quadratic time. */
const plainly =
  /(?:^|[^\p{L}\p{N}_|./-])\|*([\p{L}\p{N}_./-][\p{L}\p{N}_|./-]*)\s*=\s*([^\s,;)\]}]*)(?=([,\u00a0][+-]?\.?\d)?)/gu;
const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function foundPlainly(line: string): readonly Report[] {
  return [...line.matchAll(plainly)].flatMap(([, metric = "", written = "", more = ""]) =>
    number.test(written) && more === "" ? [{ metric, value: Number(written) }] : [],
  );
}

test("PROG-14: the usual reading finds what its pattern finds, in any line", () => {
  const piece = fc.constantFrom(
    "a",
    "loss",
    "b.c/d|e-f",
    "=",
    " = ",
    "==",
    " ",
    "\t",
    ",",
    ";",
    ")",
    "0.5",
    "1e-3",
    "x",
    "é",
    "\u00a0",
    "-",
    "7)",
  );
  const read = metricReader([]);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const line = pieces.join("");
      assert.deepEqual(read(line), foundPlainly(line));
    }),
    { numRuns: 5_000 },
  );
});

test("PROG-14: of a JSON line the numbers count, NaN and Infinity outside of texts among them", () => {
  const read = metricReader([]);
  assert.deepEqual(read('{"loss": NaN, "a": -Infinity, "text": "x: NaN, \\"Infinity", "b": 2, "c": [NaN]}'), [
    { metric: "loss", value: NaN },
    { metric: "a", value: -Infinity },
    { metric: "b", value: 2 },
  ]);
});

describe("PROG-14: the usual reading takes no longer for a hostile line than for another of its length", () => {
  const long = 10_000;
  const lines: Readonly<Record<string, string>> = {
    "word characters": "a".repeat(long),
    "words and blanks": "a ".repeat(long / 2),
    "blanks behind a sign": `${"a=".padEnd(long - 1)},`,
    signs: "=".repeat(long),
    "names without values": "a=,".repeat(long / 3),
    "digits that are no number": `a=${"1".repeat(long - 3)}x`,
    "a number of dots": `a=${"1.".repeat(long / 2 - 1)}`,
    "JSON of blanks": `{${" ".repeat(long - 2)}}`,
    "JSON with words": `{"a":${"NaN ".repeat(long / 4 - 3)}}`,
    "JSON of quotes": `{${'\\"'.repeat(long / 2 - 1)}}`,
    "JSON of brackets": `{"a":${"[".repeat(long - 7)}}`,
  };
  for (const [name, line] of Object.entries(lines))
    test(name, () => {
      const read = metricReader([]);
      const startedAt = performance.now();
      for (let n = 0; n < 200; n++) read(line);
      const ms = performance.now() - startedAt;
      assert.ok(ms < 2_000, `200 lines took ${ms} ms`);
    });
});

async function linesOf(chunks: readonly string[]) {
  const texts: string[] = [];
  const lines: string[] = [];
  const stream = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
  const reader = new LineReader(stream, {
    onText: (text) => texts.push(text),
    onLine: (line) => lines.push(line),
    onCount: () => undefined,
    ready: () => null,
  });
  await new Promise((resolve) => stream.once("close", resolve));
  reader.end();
  return { texts, lines };
}

test("PROG-18: of a line that is written over and over the last state stands; every state is read", async () => {
  const bar = "start\n\r 10%|#   |\r 50%|##  | loss=0.5\r100%|####| loss=0.25\ndone\r\n\r\nlast\r";
  const { lines, texts } = await linesOf([bar]);
  assert.deepEqual(lines, ["start", "100%|####| loss=0.25", "done", "", "last"]);
  assert.deepEqual(texts, [
    "start",
    " 10%|#   |",
    " 50%|##  | loss=0.5",
    "100%|####| loss=0.25",
    "done",
    "last",
  ]);
});

test("PROG-18: lines are the same however the output is cut into pieces", async () => {
  const part = fc.constantFrom("a", "bb=1", "\n", "\r", "\r\n", " ", "é");
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 20 }),
      fc.array(fc.nat(20), { maxLength: 6 }),
      async (parts, cuts) => {
        const text = parts.join("");
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b),
          text.length,
        ];
        const chunks = places.slice(1).map((to, index) => text.slice(places[index], to));
        const whole = await linesOf([text]);
        assert.deepEqual(await linesOf(chunks), whole);
        assert.deepEqual(
          whole.texts.join("").length,
          text.replaceAll(/[\r\n]/g, "").length,
          "every character is read once",
        );
      },
    ),
    { numRuns: 200 },
  );
});

describe("PROG-17: the last lines are kept whatever came before, and what is missing is counted", () => {
  const cases = fc.record({
    early: fc.nat(4_000),
    late: fc.integer({ min: 1, max: 60 }),
    perSecond: fc.constantFrom(50, 1_000, Infinity),
  });
  test("of any output", () => {
    fc.assert(
      fc.property(cases, ({ early, late, perSecond }) => {
        const gate = new LogGate();
        const said = Array.from({ length: early + late }, (_, n) => `line ${n}`);
        const kept = [...said.flatMap((line, n) => gate.admit(line, (n * 1_000) / perSecond)), ...gate.end()];
        const last = said.slice(-Math.min(late, 50));
        const lines = kept.filter((line) => line.startsWith("line "));
        assert.deepEqual(lines.slice(-last.length), last);
        const missing = kept.flatMap(
          (line) => /^\((\d+) lines left out/.exec(line)?.slice(1).map(Number) ?? [],
        );
        assert.equal(lines.length + missing.reduce((sum, count) => sum + count, 0), said.length);
        assert.deepEqual(
          lines.map((line) => Number(line.slice(5))).toSorted((a, b) => a - b),
          lines.map((line) => Number(line.slice(5))),
        );
        assert.ok(kept.length < 2_200);
      }),
      { numRuns: 100 },
    );
  });
});

describe("PROG-17: the reason of a failure is the line that names it", () => {
  const trace = [
    "Traceback (most recent call last):",
    '  File "train.py", line 3, in <module>',
    "    fit()",
    "    ~~~^^",
  ];
  const cases: readonly [string, readonly string[], string][] = [
    ["its last line", ["one", "two", ""], "two"],
    ["Python", [...trace, "ValueError: bad shape"], "ValueError: bad shape"],
    [
      "Python with a warning at exit",
      [...trace, "KeyError: 'x'", "sys:1: ResourceWarning: unclosed file"],
      "KeyError: 'x'",
    ],
    [
      "an error caught on the way to another",
      [
        ...trace,
        "KeyError: 'x'",
        "",
        "During handling of the above exception, another exception occurred:",
        ...trace,
        "train.DataError: no x",
        "[W] closing",
      ],
      "train.DataError: no x",
    ],
    [
      "Node.js",
      [
        "/run/train.js:1",
        "throw new TypeError('no')",
        "^",
        "",
        "TypeError: no",
        "    at Object.<anonymous> (/run/train.js:1:7)",
        "",
        "Node.js v24.9.0",
      ],
      "TypeError: no",
    ],
    [
      "Go",
      ["panic: no such layer", "", "goroutine 1 [running]:", "main.main()", "exit status 2"],
      "panic: no such layer",
    ],
    [
      "R",
      ["Error in fit(x) : object 'x' not found", "Calls: main -> fit", "Execution halted"],
      "Error in fit(x) : object 'x' not found",
    ],
    ["a bar that stopped", ["CUDA is not there", " 12%|#         | 3/25 [00:01<00:09]"], "CUDA is not there"],
  ];
  for (const [name, lines, why] of cases)
    test(name, () => {
      const words = new LastWords();
      for (const line of lines) words.hear(line, "err");
      assert.equal(words.why(), why);
    });

  test("what it printed, where its error output is empty", () => {
    const words = new LastWords();
    words.hear("cannot open data.csv", "out");
    assert.equal(words.why(), "cannot open data.csv");
  });
});
