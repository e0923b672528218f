/** Conditions, constraints, axes and the further fields of our own sweep files: what they become, and what slips are told. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseConstraint } from "../../spec/sweep/parse-constraint.ts";
import { polynomialOf, satisfies } from "../../protocol/constraint.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { commandOf, readText, observationOf } from "../support/read-fixture.ts";

const head =
  'name: x\ncommand: [train, "${args}"]\nobjective: {metric: accuracy}\nsearch: {trials: 6}\nparameters:\n';

describe("SPACE-1: every distribution, with its step and its condition", () => {
  const table: readonly [written: string, distribution: unknown][] = [
    ["0.5", { distribution: "constant", value: 0.5 }],
    ["{value: 0.5, when: {b: 1}}", { distribution: "constant", value: 0.5, when: { b: 1 } }],
    ["[1, x, true]", { distribution: "choice", values: [1, "x", true] }],
    ["{values: [1, 2], when: {b: [1, 2]}}", { distribution: "choice", values: [1, 2], when: { b: [1, 2] } }],
    [
      "{distribution: uniform, min: 0, max: 1, step: 0.1, when: {b: {min: 2}}}",
      { distribution: "uniform", min: 0, max: 1, step: 0.1, when: { b: { min: 2 } } },
    ],
    [
      "{distribution: log-uniform, min: 0.1, max: 1, when: {b: {not: 3}}}",
      { distribution: "log-uniform", min: 0.1, max: 1, when: { b: { not: 3 } } },
    ],
    ["{distribution: int, min: 1, max: 9, step: 2}", { distribution: "int", min: 1, max: 9, step: 2 }],
    ["{distribution: log-int, min: 1, max: 9}", { distribution: "log-int", min: 1, max: 9 }],
    ["{distribution: normal, mean: 0, deviation: 1}", { distribution: "normal", mean: 0, deviation: 1 }],
    [
      "{distribution: log-normal, mean: 0, deviation: 1, step: 0.5}",
      { distribution: "log-normal", mean: 0, deviation: 1, step: 0.5 },
    ],
    ["{distribution: beta, a: 2, b: 5}", { distribution: "beta", a: 2, b: 5 }],
    [
      "{distribution: quantised, min: 1, max: 100, step: 5, log: true}",
      { distribution: "quantised", min: 1, max: 100, step: 5, log: true },
    ],
    [
      "{distribution: choice, values: [1, 2], weights: [3, 1]}",
      { distribution: "choice", values: [1, 2], weights: [3, 1] },
    ],
  ];
  for (const [written, distribution] of table) {
    test(written, () => {
      const { sweep } = commandOf(`${head}  b: [1, 2, 3]\n  a: ${written}\n`);
      assert.deepEqual(sweep.space["a"], distribution);
      assert.equal(sweep.search.method, "auto");
    });
  }
});

describe("SPACE-2: a bad condition is told at its line, with what the other parameter can be", () => {
  const rest =
    "  opt: [sgd, adam]\n  n: {distribution: int, min: 1, max: 3}\n  r: {distribution: uniform, min: 0, max: 1}\n";
  const table: readonly [what: string, when: string, ...expected: string[]][] = [
    [
      "no such parameter",
      "{otp: sgd}",
      '9: field parameters.a.when.otp: there is no parameter "otp" here, did you mean "opt"?',
    ],
    ["itself", "{a: 1}", "9: field parameters.a.when.a: a cannot depend on itself"],
    [
      "a value it never has",
      "{opt: sdg}",
      '9: field parameters.a.when.opt: opt is never "sdg", did you mean "sgd"?',
    ],
    [
      "one of several",
      "{opt: [sgd, rms]}",
      '9: field parameters.a.when.opt: opt is never "rms", it can be "sgd", "adam"',
    ],
    ["a number it never has", "{n: 7}", "9: field parameters.a.when.n: n is never 7, it can be 1, 2, 3"],
    [
      "a range it never meets",
      "{n: {min: 4}}",
      "9: field parameters.a.when.n: n is never in this range; it can be 1, 2, 3",
    ],
    [
      "a range beyond a continuous one",
      "{r: {min: 2}}",
      "9: field parameters.a.when.r: r is never in this range; it goes from 0 to 1",
    ],
    [
      "one point of a continuous one",
      "{r: 0.5}",
      "9: field parameters.a.when.r: r is uniform and meets a single value only by chance; give a range such as {min: 0}",
    ],
    [
      "nothing left",
      "{opt: {not: [sgd, adam]}}",
      "9: field parameters.a.when.opt: opt is never anything else, so this can never hold",
    ],
    [
      "a range the wrong way round",
      "{n: {min: 3, max: 1}}",
      "9: field parameters.a.when.n: min 3 is above max 1",
    ],
    [
      "no condition",
      "{n: {mni: 3}}",
      "9: field parameters.a.when.n: a mapping is no condition; give a value, a list of values, {min: 1, max: 3}, or {not: sgd}",
    ],
    [
      "no mapping",
      "sgd",
      '9: field parameters.a.when: should be a mapping from other parameters to what they must be, as in {optimizer: sgd}, not "sgd"',
    ],
  ];
  for (const [what, when, ...expected] of table)
    test(what, () =>
      assert.deepEqual(observationOf(`${head}${rest}  a: {value: 1, when: ${when}}\n`), expected),
    );

  test("a circle", () => {
    const text = `${head}  a: {value: 1, when: {b: 1}}\n  b: {value: 1, when: {c: 1}}\n  c: {value: 1, when: {a: 1}}\n`;
    assert.deepEqual(observationOf(text), [
      "6: field parameters.a.when: the conditions run in a circle: a needs b needs c needs a",
    ]);
  });
});

describe("SPACE-3: a constraint is a polynomial against zero; what is none is told with its column", () => {
  const table: readonly [text: string, column: number, message: RegExp][] = [
    ["a / b < 2", 3, /^division is not known here/],
    ["a = 2", 3, /^a comparison is written "=="/],
    ["a < b < c", 7, /^it compares twice/],
    ["a ** 2 < 3", 3, /^powers are not known here/],
    ["a ^ 2 < 3", 3, /^powers are not known here/],
    ["2 < 3", 1, /^it names no parameter/],
    ["a - a < 1", 1, /^it names no parameter/],
    ["a +", 4, /^a number or a parameter should follow, but it ends here/],
    ["a * < 2", 5, /^a number or a parameter should follow, but "<" stands here/],
    ["a b < 2", 3, /^"b" does not belong here/],
    ["(a < 2", 4, /^a "\)" is missing/],
    ["a <= 2)", 7, /^"\)" does not belong here/],
    ["a + b", 6, /^it compares nothing/],
    ['opt == "sgd"', 8, /^text cannot be compared here/],
    ["a $ 3", 3, /^"\$" is not known here/],
    ["", 1, /^a number or a parameter should follow/],
  ];
  for (const [text, column, message] of table) {
    test(text === "" ? "nothing" : text, () => {
      const parsed = parseConstraint(text);
      assert.ok(!parsed.ok);
      assert.equal(parsed.column, column);
      assert.match(parsed.message, message);
    });
  }

  test("it holds exactly where the arithmetic does", () => {
    const whole = fc.integer({ min: -20, max: 20 });
    fc.assert(
      fc.property(whole, whole, whole, (a, b, c) => {
        const params = { a, b, c };
        const holds = (text: string) => {
          const parsed = parseConstraint(text);
          assert.ok(parsed.ok, text);
          return satisfies(parsed.constraint, params);
        };
        assert.equal(holds("a * b <= 3 * c - 5"), a * b <= 3 * c - 5);
        assert.equal(holds("(a - b) * (a + b) > c"), (a - b) * (a + b) > c);
        assert.equal(holds("-a + 2*(b - -c) >= .5e1"), -a + 2 * (b + c) >= 5);
        assert.equal(holds("a*a == b*b"), a * a === b * b);
        assert.equal(holds("a != c"), a !== c);
        assert.equal(holds("a<b"), a < b);
      }),
    );
  });

  test("it is kept as it was written, and says nothing of a trial without one of its parameters", () => {
    const parsed = parseConstraint(" layers * width <= 512 ");
    assert.ok(parsed.ok);
    assert.equal(parsed.constraint.text, "layers * width <= 512");
    assert.equal(polynomialOf(parsed.constraint, { layers: 4, width: 100 }), -112);
    assert.equal(polynomialOf(parsed.constraint, { layers: 4 }), null);
  });
});

describe("SPACE-4: constraints over unknown or wordy parameters, and those nothing satisfies, are told", () => {
  const rest =
    "  a: {distribution: uniform, min: 0, max: 1}\n  b: {distribution: uniform, min: 0, max: 1}\n  opt: [sgd, adam]\n";
  const table: readonly [what: string, where: string, ...expected: string[]][] = [
    [
      "an unknown name",
      "[a + bb < 1]",
      '9: field where.0: this sweep searches no parameter "bb", did you mean "b"?',
    ],
    ["a word", "[a + opt < 1]", '9: field where.0: opt can be "sgd", which is no number to calculate with'],
    ["no text", "[3]", '9: field where.0: should be text such as "layers * width <= 512", not 3'],
    [
      "a slip",
      "[a < 1, a / b < 1]",
      '9: field where.1: "a / b < 1", column 3: division is not known here; bring it to the other side: "a / b <= 2" is "a <= 2 * b"',
    ],
    [
      "one nothing satisfies",
      "[a + b > 3]",
      '9: field where: nothing satisfies this constraint: of 10000 samples of the space none does; "a + b > 3" never holds',
    ],
  ];
  for (const [what, where, ...expected] of table)
    test(what, () => assert.deepEqual(observationOf(`${head}${rest}where: ${where}\n`), expected));

  test("several that cannot hold together: the tightest alone is named", () => {
    const [line, ...others] = observationOf(`${head}${rest}where: [a < 0.5, a > 0.9, b < 0.7]\n`);
    assert.deepEqual(others, []);
    assert.match(
      line ?? "",
      /^9: field where: nothing satisfies these constraints: .*"a > 0\.9" is the tightest \(it holds alone in \d+ of them\), but never together with the others$/,
    );
  });

  test("a tight one that some trial satisfies is let through", () => {
    const { sweep } = commandOf(`${head}${rest}where: a + b > 1.9\n`);
    assert.equal(sweep.where[0]?.text, "a + b > 1.9");
  });
});

describe("SPACE-5: the fields of a sweep over models", () => {
  const file = `name: pair
experiment: languages
task: text-classification
dataset: language-id
objectives: [{metric: accuracy}, {metric: logLoss}]
search: {trials: 4}
stopping: {policy: none, max: 2, target: 0.9}
models:
  linear:
    charMin: {distribution: int, min: 1, max: 3}
    charMax: {distribution: int, min: 2, max: 6}
    wordNgrams: {values: [1, 2], when: {charMax: {min: 3}}}
    where: ["charMin + 1 <= charMax"]
prefers: {first: cheapest}
weight: 2
priority: -3
beyondBudget: true
needs: {dtype: [f32], gpu: {computeCapability: 8}}
`;
  test("all of them are in the spec", () => {
    const read = readText(file);
    assert.ok(read.ok && read.file.kind === "models", JSON.stringify(read));
    const spec = sweepSpecSchema.parse(read.file.plan.spec(null));
    assert.equal(spec.experiment, "languages");
    assert.deepEqual(spec.objective, { metric: "accuracy", goal: "maximize" });
    assert.deepEqual(spec.alsoObjectives, [{ metric: "logLoss", goal: "minimize" }]);
    assert.deepEqual(spec.search, { method: "auto", trials: 4, seed: 1 });
    assert.deepEqual(spec.prefers, { first: "cheapest", nearData: true, labels: {} });
    assert.deepEqual([spec.weight, spec.priority, spec.beyondBudget], [2, -3, true]);
    assert.deepEqual(spec.needs, { dtype: ["f32"], gpu: { count: 1, computeCapability: 8 } });
    assert.deepEqual(spec.models[0]?.space["wordNgrams"], {
      distribution: "choice",
      values: [1, 2],
      when: { charMax: { min: 3 } },
    });
    assert.deepEqual(
      spec.models[0]?.where.map(({ relation, terms }) => ({ relation, terms })),
      [
        {
          relation: "<=",
          terms: [
            { coefficient: 1, parameters: ["charMin"] },
            { coefficient: 1, parameters: [] },
            { coefficient: -1, parameters: ["charMax"] },
          ],
        },
      ],
    );
  });

  test("a list of datasets is one sweep for each, in one experiment", () => {
    const datasets =
      "datasets:\n  - language-id\n  - {name: mine, format: labelled-lines, train: /dev/null}\n";
    const text = file.replace("experiment: languages\n", "").replace("dataset: language-id\n", datasets);
    const told = observationOf(text);
    assert.deepEqual(told, ["5: field datasets.1.train: /dev/null is not a file"]);
    const twice = text.replace(/ {2}- \{.*\n/, "  - language-id\n");
    assert.deepEqual(observationOf(twice), ['5: field datasets.1: "language-id" is in the list already']);
    const one = readText(text.replace(/ {2}- \{.*\n/, ""));
    assert.ok(one.ok && one.file.kind === "models");
    assert.equal(one.file.plan.spec(null).name, "pair");
  });

  test("constraints at the top are sent into their model", () =>
    assert.deepEqual(observationOf(`${file}where: [a < 1]\n`), [
      "19: field where: belongs inside a model, as models.MODEL.where",
    ]));

  test("what cannot stand together is told", () => {
    const both = file
      .replace("dataset: language-id\n", "dataset: language-id\ndatasets: [language-id]\n")
      .replace("objectives:", "objective: {metric: accuracy}\nobjectives:");
    assert.deepEqual(observationOf(both), [
      "5: field datasets: give either dataset or datasets, not both",
      "7: field objectives: give either objective or objectives, not both",
    ]);
  });
});

describe("SPACE-6: the form that runs a command", () => {
  const table: readonly [what: string, text: string, ...expected: string[]][] = [
    [
      "a macro that does not exist",
      `${head.replace("${args}", "${arg}")}  a: 1\n`,
      '2: field command.1: there is no macro ${arg}, did you mean "args"?',
    ],
    [
      "a parameter that does not exist",
      `${head.replace('"${args}"', '"--lr=${parameter:rl}"')}  lr: 1\n`,
      '2: field command: ${parameter:rl} names no parameter, did you mean "lr"?',
    ],
    [
      "no objective for a method that learns",
      "name: x\ncommand: [train]\nsearch: {method: tpe, trials: 6}\nparameters: {a: [1, 2]}\n",
      "1: field objective: is missing; tpe learns from results, so name the metric that the command prints, as in {metric: accuracy}",
    ],
    [
      "no program",
      'name: x\ncommand: ["${program}", "${args}"]\nsearch: {method: random, trials: 6}\nparameters: {a: [1, 2]}\n',
      "1: field program: is missing; the command names ${program}",
    ],
    [
      "a format without groups",
      `${head}  a: 1\nmetricFormat: ['\\w+', '(']\n`,
      '7: field metricFormat.0: "\\\\w+" needs two groups in brackets: one for the metric\'s name, one for its value',
      '7: field metricFormat.1: "(" has a ( without a )',
    ],
    [
      "an unknown key",
      `${head}  a: 1\nparalel: 2\n`,
      '7: field paralel: unknown key, did you mean "parallel"?',
    ],
    [
      "no parameters",
      "name: x\ncommand: [train]\nobjective: {metric: m}\nsearch: {trials: 6}\nparameters: {}\n",
      "5: field parameters: names no parameter",
    ],
  ];
  for (const [what, text, ...expected] of table)
    test(what, () => assert.deepEqual(observationOf(text), expected));
});

test("SPACE-7: no text whatever makes a reader throw, whoever's file it looks like", () => {
  const pieces = fc.constantFrom(
    ...[
      "method",
      "parameters",
      "command",
      "search",
      "kind: Experiment",
      "spec",
      "trialTemplate",
      "bayes",
      "grid",
    ],
    ...[
      "distribution",
      "values",
      "min",
      "when",
      "where",
      "metric",
      "${args}",
      "algorithm",
      "early_terminate",
    ],
    ...[": ", "{", "}", "[", "]", ", ", "\n", "  ", "- ", "&a ", "*a", "<<", "1", "a < b", "null", '"'],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const read = readText(parts.join(""));
      if (!read.ok) assert.ok(read.problems.every(({ line, message }) => line >= 1 && message !== ""));
    }),
    { numRuns: 300 },
  );
});
