/** What is made of a program's output: lines, metrics, the lines that are kept, and the one that says why it failed. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { LastWords } from "../../agent/program/last-words.ts";
import { LogGate } from "../../agent/runner/log-gate.ts";
import { LineScreen, type LineCut } from "../../agent/program/line-screen.ts";
import { LineReader } from "../../agent/program/read-lines.ts";
import { metricReader } from "../../agent/program/read-metrics.ts";
import type { Report } from "../../agent/program/metric-report.ts";
import { processorMs } from "../support/processor-time.ts";

/** What the usual reading must find: Katib's default with more letters, and numbers that end where they end; it takes quadratic time. */
const plainly =
  /(?:^|[^\p{L}\p{N}_|./-])\|*([\p{L}\p{N}_./-][\p{L}\p{N}_|./-]*)\s*=\s*((?:[^\s,;)\]}]+(?:[,\u00a0]\d[^\s,;)\]}]*)*)?)(?=([,\u00a0][+-]?\.?\d)?)/gu;
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
      const startedAt = processorMs();
      for (let n = 0; n < 200; n++) read(line);
      const ms = processorMs() - startedAt;
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

function screened(pieces: readonly string[]) {
  const texts: string[] = [];
  const lines: string[] = [];
  const cuts: (LineCut | null)[] = [];
  const screen = new LineScreen({
    onText: (text, cut) => {
      texts.push(text);
      cuts.push(cut);
    },
    onLine: (line) => lines.push(line),
  });
  for (const piece of pieces) screen.take(piece);
  screen.end();
  return { texts, lines, cuts };
}

describe("PROG-18: a bar is one line in its last state, however it is redrawn", () => {
  test("two bars, one within the other, drawn by going up (tqdm)", () => {
    const inner = (n: number) => `\n\r step ${n}/3\u001b[A`;
    const epochs = [1, 2, 3].map((n) => `\r epoch ${n}/3 loss=0.${n}${[1, 2, 3].map(inner).join("")}`);
    const { lines, texts } = screened([...epochs, "\n\r", "\n", "done\n"]);
    // The first state of the outer bar is told before it is known that it is gone up to.
    assert.deepEqual(lines, [" epoch 1/3 loss=0.1", " epoch 3/3 loss=0.3", " step 3/3", "done"]);
    assert.equal(texts.filter((text) => text.includes("loss=")).length, 3);
  });

  test("one of four lines, drawn anew as a whole (rich)", () => {
    const drawn = (n: number) => [1, 2, 3, 4].map((row) => `row ${row} at ${n}`).join("\n");
    const { lines } = screened([
      drawn(0),
      ...Array.from({ length: 50 }, (_, n) => `\r\u001b[3A${drawn(n + 1)}`),
      "\nbye\n",
    ]);
    assert.deepEqual(lines.slice(-5), ["row 1 at 50", "row 2 at 50", "row 3 at 50", "row 4 at 50", "bye"]);
    assert.ok(lines.length <= 5 + 3, `${lines.length}`);
  });

  test("one that is taken back by backspaces (Keras), and a wheel that turns", () => {
    const bar = ["1/2 loss=0.5", "2/2 loss=0.25"];
    const { lines, texts } = screened([
      bar[0] ?? "",
      "\b".repeat(12),
      "\r",
      bar[1] ?? "",
      "\nat -",
      "\b/",
      "\b|",
      "\n",
    ]);
    assert.deepEqual(lines, ["2/2 loss=0.25", "at |"]);
    assert.deepEqual(texts, [...bar, "at |"]);
  });

  test("is the same however the output is cut into pieces", () => {
    const part = fc.constantFrom(
      "a",
      "bb=1",
      "\n",
      "\r",
      "\b",
      "\b\b",
      "\u001b[A",
      "\u001b[2A",
      "\u001b[B",
      "\u001b[K",
      " ",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
        const text = parts.join("");
        assert.deepEqual(screened([...text]), screened([text]));
      }),
      { numRuns: 2_000 },
    );
  });

  test("what goes up for ever holds back no more than a screen", () => {
    const { lines } = screened(Array.from({ length: 10_000 }, (_, n) => `line ${n}\n\u001b[9999A`));
    assert.ok(lines.length < 100);
    const after = screened(["\u001b[9999A", ...Array.from({ length: 200 }, (_, n) => `line ${n}\n`)]);
    assert.equal(after.lines.length, 200);
  });
});

test("PROG-18: of an endless line the beginning and the end are kept, and its length is told", () => {
  const piece = "x".repeat(65_536);
  const { cuts, lines } = screened([
    "begin ",
    ...Array.from({ length: 40 }, () => piece),
    " loss=0.5\nnext\n",
  ]);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^begin x+…x+ loss=0\.5$/);
  assert.deepEqual(cuts, [{ characters: 40 * 65_536 + 15, read: 1_048_576 }, null]);
  const whole = screened(["y".repeat(1_048_576), "\n"]);
  assert.deepEqual([whole.lines[0]?.length, whole.cuts], [1_048_576, [null]]);
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

test("PROG-17: of a long line the beginning is kept, and how long it was", () => {
  const gate = new LogGate();
  assert.deepEqual(gate.admit("x".repeat(2_000), 0), ["x".repeat(2_000)]);
  assert.deepEqual(gate.admit("y".repeat(2_001), 0), [`${"y".repeat(2_000)}… (2001 characters)`]);
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
    [
      "Python, with another thread's trace and one of its end behind it",
      [
        ...trace,
        "ValueError: bad shape",
        "Exception in thread Thread-1 (load):",
        ...trace,
        "OSError: gone",
        "Exception ignored in: <function Writer.__del__ at 0x7f>",
        ...trace,
        "AttributeError: no lock",
        "Error in atexit._run_exitfuncs:",
        ...trace,
        "RuntimeError: late",
      ],
      "ValueError: bad shape",
    ],
    ["a thread's trace alone", ["Exception in thread Thread-1:", ...trace, "OSError: gone"], "OSError: gone"],
    [
      "processes whose lines are numbered, and what started them",
      [
        ...[...trace, "ValueError: bad shape"].map((line) => `[rank0]: ${line}`),
        "E1130 04:10:36 failed (exitcode: 1) local_rank: 0",
        ...trace,
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
        "=====",
        "train.py FAILED",
      ],
      "ValueError: bad shape",
    ],
    [
      "a coloured trace",
      [
        "Traceback (most recent call last):",
        '  File \u001b[35m"x.py"\u001b[0m',
        "\u001b[1;31mKeyError\u001b[0m: \u001b[35m'x'\u001b[0m",
      ],
      "KeyError: 'x'",
    ],
    [
      "a trace in a box",
      [
        "╭───── Traceback (most recent call last) ─────╮",
        "│ /run/train.py:3 in <module> │",
        "╰──────────────╯",
        "ValueError: bad shape",
      ],
      "ValueError: bad shape",
    ],
    [
      "a group of exceptions",
      [
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "train.py", line 1, in <module>',
        "  | ExceptionGroup: workers (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | ValueError: 1",
      ],
      "ExceptionGroup: workers (2 sub-exceptions)",
    ],
    [
      "a notebook",
      [
        "ValueError                                Traceback (most recent call last)",
        "Cell In[1], line 1",
        "----> 1 fit()",
        "ValueError: bad shape",
      ],
      "ValueError: bad shape",
    ],
    ["an exception without words", [...trace, "AssertionError"], "AssertionError"],
    [
      "one whose words begin on the next line",
      [...trace, "pydantic_core.ValidationError:", "  2 errors for Config"],
      "pydantic_core.ValidationError: 2 errors for Config",
    ],
    [
      "a syntax error",
      ['  File "x.py", line 1', "    f(", "     ^", "SyntaxError: '(' was never closed"],
      "SyntaxError: '(' was never closed",
    ],
    [
      "Rust",
      [
        "thread 'main' (123) panicked at src/main.rs:4:5:",
        "no such layer",
        "note: run with `RUST_BACKTRACE=1` environment variable",
      ],
      "thread 'main' (123) panicked at src/main.rs:4:5: no such layer",
    ],
    [
      "C++",
      ["terminate called after throwing an instance of 'std::runtime_error'", "  what():  no such layer"],
      "terminate called after throwing an instance of 'std::runtime_error': what():  no such layer",
    ],
    [
      "Ruby",
      ["train.rb:1:in 'fit': no such layer (RuntimeError)", "\tfrom train.rb:3:in '<main>'"],
      "train.rb:1:in 'fit': no such layer (RuntimeError)",
    ],
    [
      "Java",
      ['Exception in thread "main" java.lang.IllegalStateException: no', "\tat Train.main(Train.java:3)"],
      'Exception in thread "main" java.lang.IllegalStateException: no',
    ],
    [
      "Lua",
      ["lua5.4: train.lua:1: no such layer", "stack traceback:", "\t[C]: in function 'error'"],
      "lua5.4: train.lua:1: no such layer",
    ],
    [
      "a fault handler",
      [
        "Fatal Python error: Segmentation fault",
        "",
        "Current thread 0x7f (most recent call first):",
        "  File x",
      ],
      "Fatal Python error: Segmentation fault",
    ],
    [
      "a warning behind its last words",
      ["no data in train.csv", "/x.py:3: UserWarning: late"],
      "no data in train.csv",
    ],
    [
      "an exception that was overcome long before",
      [
        ...trace,
        "KeyError: 'x'",
        ...Array.from({ length: 60 }, (_, n) => `epoch ${n}`),
        "no room on the disk",
      ],
      "no room on the disk",
    ],
    [
      "a bar with words before it",
      ["CUDA is not there", "Epoch 1:  12%|#         | 3/25 [00:01<00:09]"],
      "CUDA is not there",
    ],
    ["a bar that stopped", ["CUDA is not there", " 12%|#         | 3/25 [00:01<00:09]"], "CUDA is not there"],
  ];
  for (const [name, lines, why] of cases)
    test(name, () => {
      const words = new LastWords();
      for (const line of lines) words.hear(line, "err");
      assert.equal(words.why(), why);
    });

  test("a trace in what it printed, where its error output names nothing", () => {
    const words = new LastWords();
    for (const line of [...trace, "ValueError: bad shape"]) words.hear(line, "out");
    words.hear("/x.py:3: UserWarning: late", "err");
    assert.equal(words.why(), "ValueError: bad shape");
  });

  test("memory that ran out is the reason at the end, and not where it was overcome", () => {
    const words = new LastWords();
    words.hear("CUDA out of memory: the batch is halved", "err");
    assert.equal(words.ofMemory, true);
    for (const line of [...trace, "ValueError: bad shape"]) words.hear(line, "err");
    assert.equal(words.ofMemory, false);
  });

  test("what it printed, where its error output is empty", () => {
    const words = new LastWords();
    words.hear("cannot open data.csv", "out");
    assert.equal(words.why(), "cannot open data.csv");
  });
});
