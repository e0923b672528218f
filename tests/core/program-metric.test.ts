/** PROG-14: metrics by their own names, whatever decorates the line, and numbers whole or not at all. */
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { missingResult, UnreadNotes } from "../../agent/program/missing-result.ts";
import { metricReader } from "../../agent/program/read-metrics.ts";
import type { Report, Unread } from "../../agent/program/metric-report.ts";

function read(line: string, names: readonly string[], patterns: readonly string[] = []) {
  const unread: Unread[] = [];
  const reports: readonly Report[] = metricReader(patterns, {
    names,
    onUnread: (one) => void unread.push(one),
  })(line);
  return { reports, unread };
}

const names = [
  "loss",
  "eval/score_t+64",
  "acc@1",
  "recall@0.75:0.95",
  "准确率",
  "précision",
  "pre\u0301cision",
  "Best Test",
  "dice[liver]",
  "f1 (macro)",
  "top-5 %",
  "a=b",
  "ℓ²-error",
  "𝛼",
  "🎯",
  'the "best"',
  "loss,total",
  "{x}",
  "R²",
  "dev ",
];

describe("PROG-14: an objective's name is found as it is written, whatever decorates the line", () => {
  const before = fc.constantFrom(
    "",
    "epoch 2: ",
    "INFO:root:",
    "2026-11-30 04:10:36,120 - train - INFO - ",
    "[12:00:01] ",
    "\u001b[32mINFO\u001b[0m ",
    "\u001b[1;31m",
    "\u009b1m",
    "\u001b]8;;http://x\u0007",
    "100%|██████| 3/3 [00:01<00:00, 2.1it/s, ",
    "│ ",
    "|",
    "(",
    "train_x=1 y=2, ",
    "rank 0 > ",
    "[train]",
  );
  const after = fc.constantFrom(
    "",
    ", z=3",
    ")",
    "]",
    "|",
    " (best)",
    "\u001b[0m",
    "\u001b[0m, z=3",
    ";",
    ". Done",
    ".",
    "\t",
  );
  const sign = fc.constantFrom("=", " = ", "= ", "\u001b[0m=\u001b[36m", "=\u001b[1m");
  const number = fc.constantFrom("0.75", "-1", "+2.5", "1e-3", ".5", "3.", "1E+5", "nan", "-inf");
  test("in a line of any log", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        before,
        sign,
        number,
        after,
        (name, prefix, equals, written, suffix) => {
          const { reports } = read(`${prefix}${name}${equals}${written}${suffix}`, [name]);
          const value = written === "-inf" ? -Infinity : Number(written);
          assert.deepEqual(
            reports.filter(({ metric }) => metric === name),
            [{ metric: name, value }],
          );
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("any name at all, of whatever characters", () => {
    const anyName = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      .filter((name) => !/^[\s|]*$|\p{Cc}/u.test(name));
    fc.assert(
      fc.property(anyName, (name) => {
        const { reports } = read(`step 1: ${name}=0.75`, [name]);
        assert.ok(
          reports.some(({ metric, value }) => metric === name && value === 0.75),
          JSON.stringify(reports),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("and not where it is the end of another's", () => {
    for (const line of [
      "val_loss=1",
      "val-loss=1",
      "valloss=1",
      "val/loss=1",
      "précisloss=1",
      "x.loss=1",
      "--loss=1",
      "acc@loss=1",
      "…loss=1",
    ])
      assert.deepEqual(
        read(line, ["loss"]).reports.filter(({ metric }) => metric === "loss"),
        [],
        line,
      );
    assert.deepEqual(read("Best Test=0.5", ["Test", "Best Test"]).reports, [
      { metric: "Best Test", value: 0.5 },
    ]);
  });

  test("as JSON, alone in its line at any length, or behind what a log puts before it", () => {
    for (const prefix of ["", "  ", "INFO:root:", "\u001b[32m[12:00]\u001b[0m "])
      for (const name of names) {
        const long = JSON.stringify({
          confusion: Array.from({ length: 9_000 }, (_, n) => [n, n]),
          [name]: 0.75,
        });
        const { reports } = read(`${prefix}${long}`, [name]);
        assert.deepEqual(reports, [{ metric: name, value: 0.75 }]);
      }
    assert.deepEqual(
      read('config: {"lr": 0.1, "width": 64}', ["loss"]).reports,
      [],
      "what is no result is no metric",
    );
  });
});

describe("PROG-14: a number is taken whole or not at all, and what was not is told", () => {
  const refused = [
    ...["0.5abc", "1,234", "1,234.5", "0,5", "12.5%", "1e", "1e+", "1_000", "0x1F", "0b1", "1'234", "1’234"],
    ...[
      "1\u00a0234",
      "1\u202f234,5",
      "1\u2009234",
      "0.5ms",
      "0.5±0.1",
      "0.5/1",
      "12:30",
      "1.2.3",
      "1..2",
      "$5",
      "~0.5",
      "≈1",
    ],
    ...[
      "<0.5",
      "None",
      "null",
      "tensor(0.5)",
      "[0.5",
      '"0.5"',
      "−0.5",
      "٣",
      "１",
      "1d5",
      "infinite",
      "nano",
      "1e999",
      "-1e400",
    ],
    ...[
      "0.5…",
      "2026-11-30",
      "0.5,-0.3",
      "1,.5",
      "0.5°",
      "0.5€",
      "3.5it/s",
      "1e-3x",
      "--5",
      "+-1",
      "5-6",
      "1/2",
      "1e5.5",
      "0,95，1",
    ],
  ];
  const taken: readonly (readonly [string, number])[] = [
    ["0.5", 0.5],
    ["0.5,", 0.5],
    ["0.5, 3", 0.5],
    ["0.5; 3", 0.5],
    ["0.5)", 0.5],
    ["0.5 ± 0.1", 0.5],
    ["0.5.", 0.5],
    ["0.5: done", 0.5],
    ["5.", 5],
    ["0.5，损失=3", 0.5],
    ["0.5。", 0.5],
    ["1e-05", 1e-5],
    ["-0", -0],
    ["1 234", 1],
    ["0.5,x=2", 0.5],
  ];
  for (const written of refused)
    test(`nothing of ${JSON.stringify(written)}`, () => {
      const { reports, unread } = read(`epoch 3: loss=${written} (best)`, ["loss"]);
      assert.deepEqual(reports, []);
      assert.equal(unread.length, 1);
      const notes = new UnreadNotes();
      unread.forEach((one) => notes.hear(one));
      const why = missingResult({ objectives: ["loss"], kept: [null], names: ["x"], unread: notes });
      assert.match(why ?? "", /what it printed as loss is no plain number: /);
    });
  for (const [written, value] of taken)
    test(`the number of ${JSON.stringify(written)}`, () => {
      const [first] = read(`epoch 3: loss=${written}`, ["loss"]).reports;
      assert.deepEqual(first, { metric: "loss", value });
    });

  test("of any text behind a digit: the value is what stands there, up to a sign that ends numbers", () => {
    const piece = fc.constantFrom(
      "0",
      "5",
      "12",
      ".",
      ",",
      "e",
      "E",
      "+",
      "-",
      "_",
      "x",
      "%",
      " ",
      "\u00a0",
      "'",
      ")",
      ";",
      "é",
      "٣",
      ":",
      "…",
      '"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const written = `7${pieces.join("")}`;
        const { reports } = read(`loss=${written}`, ["loss"]);
        const [report] = reports;
        if (report === undefined) return;
        const printed = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/.exec(written)?.[0] ?? "";
        assert.equal(report.value, Number(printed), written);
        assert.match(
          written.slice(printed.length),
          /^$|^\s(?!(?<=\u00a0)[+-]?\.?[\d٣])|^[;)]|^,(?![+-]?\.?[\d٣])|^[.:](?:\s|$)/u,
          written,
        );
      }),
      { numRuns: 5_000 },
    );
  });

  test("where it is a text in JSON, or nothing", () => {
    for (const [value, shown] of [
      ['"0.75"', '"0.75"'],
      ["null", "null"],
      ["[0.75]", "[0.75]"],
    ] as const)
      assert.deepEqual(read(`{"auc": ${value}, "n": 1}`, ["auc"]), {
        reports: [{ metric: "n", value: 1 }],
        unread: [{ kind: "value", metric: "auc", written: shown }],
      });
  });

  test("also by a pattern of one's own, which may say itself what follows a number", () => {
    const plain = ["(score)\\W+?(\\d+)"];
    for (const line of [
      "score: 8.5",
      "score: 8,5",
      "score: 8%",
      "score: 8e3",
      "score: -8",
      "score: .8",
      "score: 8_0",
      "score: 8'000",
    ])
      assert.deepEqual(read(line, ["score"], plain), {
        reports: [],
        unread: [{ kind: "value", metric: "score", written: line.slice("score: ".length) }],
      });
    for (const line of ["score: 8", "score: 8, x", "score (8)", "score: 8."])
      assert.deepEqual(read(line, ["score"], plain).reports, [{ metric: "score", value: 8 }], line);
    assert.deepEqual(read("acc 93%", ["acc"], ["(acc) (\\d+)%"]).reports, [{ metric: "acc", value: 93 }]);
    assert.deepEqual(read("acc 93%", ["acc"], ["(acc) (\\d+)(?=%)"]).reports, [{ metric: "acc", value: 93 }]);
    assert.deepEqual(read("epoch-3 acc", ["epoch"], ["(epoch)-(\\d+)"]).reports, [
      { metric: "epoch", value: 3 },
    ]);
  });

  test("and a pattern of one's own sees so much of a line, which is told of a longer one", () => {
    const { unread } = read(`${"x ".repeat(6_000)}score: 8`, ["score"], ["(score): (\\d+)"]);
    assert.deepEqual(unread, [{ kind: "line", characters: 12_008, read: 10_000 }]);
  });
});

describe("PROG-24: of two names that differ by what cannot be seen, the difference is shown", () => {
  const whyOf = (objective: string, reported: readonly string[]) =>
    missingResult({ objectives: [objective], kept: [null], names: reported, unread: new UnreadNotes() }) ??
    "";
  const table: readonly [reported: string, objective: string, difference: RegExp][] = [
    ["dev_f1 ", "dev_f1", /"dev_f1 ".*"dev_f1" by a space at its end/],
    [" dev_f1", "dev_f1", /" dev_f1".*by spaces around it/],
    ["Dev_F1", "dev_f1", /in upper and lower case/],
    ["dev/f1", "dev_f1", /in its signs and spaces/],
    ["dev-f1", "dev_f1", /in its signs and spaces/],
    ["DEV F1", "dev_f1", /in its letters' case, its signs and spaces/],
    ["dev\u200b_f1", "dev_f1", /"dev\\u200b_f1".*cannot be seen/],
    ["sc\u001b[31more", "score", /"sc\\u001b\[31more".*cannot be seen/],
    ["o\u202ether", "other", /"o\\u202ether".*cannot be seen/],
    ["pre\u0301cision", "précision", /in how its accents are written/],
    ["test\u00a0score", "test score", /"test\\u00a0score".*look alike/],
    ["ｌoss", "loss", /look alike/],
    ["l\u043ess", "loss", /in character 2: U\+043E and not U\+006F/],
    ["precision", "précision", /in character 3: U\+0065 and not U\+00E9/],
  ];
  for (const [reported, objective, difference] of table)
    test(JSON.stringify([reported, objective]), () => {
      const why = whyOf(objective, ["lr", reported]);
      assert.match(why, difference);
      assert.match(why, /give both the same name/);
    });
  test("a slip is named, and what is far off is only told", () => {
    assert.match(whyOf("accuracy", ["acuracy"]), /only acuracy; did you mean "acuracy"/);
    assert.equal(whyOf("accuracy", ["loss", "lr"]), "it reported no accuracy, only loss, lr");
    assert.equal(
      whyOf("accuracy", ["x\u200b", "y "]),
      'it reported no accuracy, only "x\\u200b", "y "',
      "what cannot be seen is shown",
    );
    assert.match(
      whyOf(
        "m",
        Array.from({ length: 20 }, (_, n) => `name${n}`),
      ),
      / and 12 more$/,
    );
  });
  test("no two names are shown alike, and all of what is shown is seen", () => {
    const piece = fc.constantFrom(
      "a",
      "A",
      " ",
      "\u00a0",
      "\u200b",
      "\u001b[1m",
      "\n",
      "\u202e",
      '"',
      "\\u200b",
      "\\",
    );
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        (one, two) => {
          const [a, b] = [one.join(""), two.join("")];
          if (a === b) return;
          assert.notEqual(whyOf("metric", [a]), whyOf("metric", [b]));
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
