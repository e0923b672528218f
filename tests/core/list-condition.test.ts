/** LIST rules: conditions on lists as people write them, over names and values of every kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readRowCondition, readSortKey, type RowCondition } from "../../client/list/row-condition.ts";
import {
  agentFields,
  datasetFields,
  modelFields,
  sweepFields,
  trialFields,
} from "../../client/list/list-field.ts";
import { selectRows } from "../../client/list/select-rows.ts";
import type { TrialView } from "../../protocol/view.ts";
import { agentFixture, sweepFixture, trialFixture } from "../support/view-fixture.ts";

const summary = sweepFixture("s1", { metric: "accuracy" });
const fields = trialFields({ summary, spaces: {}, alsoObjectives: [] });

function read(text: string): RowCondition {
  const condition = readRowCondition(text);
  assert.ok(condition.ok, condition.ok ? "" : condition.refusal.message);
  return condition.value;
}

function trialsOf(
  params: readonly TrialView["params"][],
  rest: Partial<TrialView> = {},
): readonly TrialView[] {
  return params.map((each, index) => trialFixture("s1", index + 1, { params: each, metrics: {}, ...rest }));
}

/** Numbers of the trials of which all hold. */
function found(trials: readonly TrialView[], ...where: readonly string[]): readonly number[] {
  const rows = selectRows(trials, fields, { where: where.map(read) });
  assert.ok(rows.ok, rows.ok ? "" : rows.refusal.message);
  return rows.value.map(({ number }) => number);
}

function refused(trials: readonly TrialView[], where: string): string {
  const condition = readRowCondition(where);
  if (!condition.ok) return condition.refusal.message;
  const rows = selectRows(trials, fields, { where: [condition.value] });
  assert.ok(!rows.ok, where);
  return rows.refusal.message;
}

const quote = (text: string, mark = '"') =>
  `${mark}${text.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`)}${mark}`;
const anyName = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }),
    fc.constantFrom(
      "eval/score_t+64",
      "acc@1",
      "准确率",
      "a b",
      "a>b",
      "x!",
      "-lr",
      '"q"',
      "it's",
      "params.x",
      "recall@0.75:0.95",
      "\\",
    ),
  )
  .filter(
    (name) => name !== "__proto__" && ![...trialNames].some((own) => own === name || `trial.${own}` === name),
  );
const trialNames = new Set(fields.columns.map(({ name }) => name));
const operators = [">", ">=", "<", "<=", "=", "!="] as const;
const compare = {
  ">": (a: number, b: number) => a > b,
  ">=": (a: number, b: number) => a >= b,
  "<": (a: number, b: number) => a < b,
  "<=": (a: number, b: number) => a <= b,
  "=": (a: number, b: number) => a === b,
  "!=": (a: number, b: number) => a !== b,
};
const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, 0.1, 1e-9),
);

test("LIST-1: whatever a parameter is called, it is compared by its name in quotes, of each kind, and with blanks around", () => {
  fc.assert(
    fc.property(
      anyName,
      fc.array(finite),
      finite,
      fc.constantFrom(...operators),
      fc.constantFrom('"', "'", "`"),
      (name, values, value, operator, mark) => {
        const trials = trialsOf(values.map((each) => ({ [name]: each })));
        const expected = trials
          .filter((_, at) => compare[operator](values[at] ?? 0, value))
          .map(({ number }) => number);
        if (values.length === 0) return;
        assert.deepEqual(found(trials, `${quote(name, mark)}${operator}${value}`), expected);
        assert.deepEqual(found(trials, `  ${quote(name, mark)}  ${operator}  ${value} `), expected);
        if (!/[<>=!~≥≤≠]|^\s|\s$|^["'`]/u.test(name))
          assert.deepEqual(found(trials, `${name}${operator}${value}`), expected);
      },
    ),
  );
});

test("LIST-2: whole numbers are compared exactly, however long, as numbers and as texts that are written so", () => {
  const whole = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n });
  const held = (value: bigint) => (value > 2n ** 53n || value < -(2n ** 53n) ? String(value) : Number(value));
  fc.assert(
    fc.property(
      fc.array(whole, { minLength: 1 }),
      whole,
      fc.constantFrom(-1n, 0n, 1n),
      (values, far, near) => {
        for (const value of [far, (values[0] ?? 0n) + near]) {
          const trials = trialsOf(values.map((each) => ({ seed: held(each) })));
          const numbers = (is: (each: bigint) => boolean) =>
            values.flatMap((each, at) => (is(each) ? [at + 1] : []));
          assert.deepEqual(
            found(trials, `seed>${value}`),
            numbers((each) => each > value),
          );
          assert.deepEqual(
            found(trials, `seed<=${value}`),
            numbers((each) => each <= value),
          );
          assert.deepEqual(
            found(trials, `seed=${value}`),
            numbers((each) => each === value),
          );
        }
      },
    ),
  );
});

test("LIST-3: a text is equal by the letter, in it is looked whatever the case, and a value in quotes is a text", () => {
  const text = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), fc.integer({ min: 0, max: 9 }), (values, pick) => {
      const value = values[pick % values.length] ?? "";
      const trials = trialsOf(values.map((kind) => ({ kind })));
      const numbers = (is: (each: string) => boolean) =>
        values.flatMap((each, at) => (is(each) ? [at + 1] : []));
      assert.deepEqual(
        found(trials, `kind=${quote(value)}`),
        numbers((each) => each === value),
      );
      assert.deepEqual(
        found(trials, `kind!=${quote(value)}`),
        numbers((each) => each !== value),
      );
      assert.deepEqual(
        found(trials, `kind~${quote(value.toUpperCase())}`),
        numbers((each) => each.toLowerCase().includes(value.toUpperCase().toLowerCase())),
      );
    }),
  );
  assert.deepEqual(found(trialsOf([{ kind: "1" }, { kind: 1 }]), 'kind="1"'), [1]);
  assert.deepEqual(found(trialsOf([{ flag: true }, { flag: false }]), "flag=True"), [1]);
});

test("LIST-4: several conditions hold together; a trial without a value is in none", () => {
  const trials = trialsOf([{ lr: 0.1 }, { lr: 0.01, width: 8 }, { width: 16 }, { lr: 0.5, width: 16 }]);
  assert.deepEqual(found(trials, "lr>0.001", "width=16"), [4]);
  assert.deepEqual(found(trials, "width!=8"), [3, 4]);
  assert.deepEqual(found(trials, "lr≥0.1"), [1, 4]);
  assert.deepEqual(found(trials, "tokens>=0", "state=completed", "trial~s1-"), [1, 2, 3, 4]);
  assert.deepEqual(found(trials, "reason~x"), []);
});

test("LIST-5: a name that means nothing, more than one thing, or a value that cannot be compared is refused in words", () => {
  const trials = trialsOf([{ learning_rate: 0.1, epochs: 3, loss: 1 }], { metrics: { loss: 2 } });
  const cases: readonly (readonly [string, RegExp])[] = [
    ["learnig_rate>1", /no trial has "learnig_rate"; did you mean "learning_rate"\?/],
    ["nothing at all>1", /no trial has "nothing at all"; known: .*accuracy/],
    [
      "epochs>1",
      /"epochs" means more than one thing here; write trial\.epochs for a column of every trial, or params\.epochs for a parameter/,
    ],
    ["loss>1", /params\.loss for a parameter, or metrics\.loss for a metric/],
    ["tokens>many", /needs a number, and "many" is none/],
    ["tokens=many", /needs a number/],
    ["learning_rate>0.1 and epochs<3", /is none; each condition is given for itself/],
    ["state>3", /state is a text, which = != ~ and !~ compare/],
    ["started_at>yesterday", /a moment such as 2026-01-31/],
    ["lr", /compares nothing; a condition is .* in quotes for the shell: 'lr>0\.001'/],
    ["", /compares nothing/],
    ["lr>", /no value/],
    [">3", /no name before >/],
    ['"lr>3', /opens a quote/],
    ['lr="a" b', /goes on after its value/],
    ["x".repeat(1_001), /longer than 1000 characters/],
  ];
  for (const [where, sentence] of cases) assert.match(refused(trials, where), sentence, where);
  assert.deepEqual(
    found(trials, "params.epochs=3", "trial.epochs>=0", "metrics.loss=2", "params.loss<2"),
    [1],
  );
});

test("LIST-6: any text is read or refused, and never throws", () => {
  const signs = fc.string({
    unit: fc.constantFrom("a", ">", "<", "=", "!", "~", '"', "'", "\\", " ", "-", "1", "≥"),
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.oneof(signs, fc.string({ unit: "binary", maxLength: 30 })), (text) => {
      const condition = readRowCondition(text);
      if (!condition.ok) assert.ok(condition.refusal.message.length > 10);
      else selectRows(trialsOf([{ a: 1 }]), fields, { where: [condition.value] });
      readSortKey(text);
    }),
  );
});

test("LIST-7: moments are compared as they are written, days, hours and offsets", () => {
  const at = (text: string) =>
    trialFixture("s1", 1, { attempts: [{ ...attempt, startedAt: Date.parse(text) }] });
  const trials = ["2026-01-31T08:00:00Z", "2026-01-31T12:00:00Z"].map((text, index) => ({
    ...at(text),
    number: index + 1,
  }));
  assert.deepEqual(found(trials, "started_at>2026-01-31T10:00Z"), [2]);
  assert.deepEqual(found(trials, "started_at<=2026-01-31T10:00+02:00"), [1]);
  assert.deepEqual(found(trials, "started_at>2026-01-30"), [1, 2]);
  assert.deepEqual(found(trials, "started_at~2026-01-31T12"), [2]);
});

const attempt = {
  fence: 1,
  agent: "attic",
  backend: "wasm",
  rate: 1,
  fromResource: 0,
  target: 9,
  approximate: false,
  startedAt: 0,
  endedAt: null,
  state: "running" as const,
  ending: null,
  reserved: 0,
  posted: 0,
};

test("LIST-8: sorting is by number or letter, both ways, with what has no value last, and leaves equals as they were", () => {
  const sorted = (trials: readonly TrialView[], key: string) => {
    const sort = readSortKey(key);
    assert.ok(sort.ok);
    const rows = selectRows(trials, fields, { sort: sort.value });
    assert.ok(rows.ok);
    return rows.value.map(({ number }) => number);
  };
  fc.assert(
    fc.property(fc.array(fc.option(finite)), (values) => {
      const trials = trialsOf(values.map((lr) => (lr === null ? { width: 1 } : { lr, width: 1 })));
      if (values.every((value) => value === null)) return;
      for (const [key, sign] of [
        ["lr", 1],
        ["-lr", -1],
      ] as const) {
        const known = values.flatMap((value, at) => (value === null ? [] : [{ value, number: at + 1 }]));
        const expected = known.toSorted((a, b) => sign * (a.value - b.value)).map(({ number }) => number);
        const none = values.flatMap((value, at) => (value === null ? [at + 1] : []));
        assert.deepEqual(sorted(trials, key), [...expected, ...none]);
      }
    }),
  );
  assert.deepEqual(sorted(trialsOf([{ kind: "b" }, { kind: "a" }]), "kind"), [2, 1]);
  assert.deepEqual(sorted(trialsOf([{ "-x": 1 }, { "-x": 2 }]), '-"-x"'), [2, 1]);
});

test("LIST-9: every list has names of its own, and an agent's may be several", () => {
  const agents = [agentFixture("desk"), agentFixture("attic", { memFreeGiB: 1, slots: 4 })];
  const names = (where: string) => {
    const rows = selectRows(agents, agentFields, { where: [read(where)] });
    assert.ok(rows.ok, rows.ok ? "" : rows.refusal.message);
    return rows.value.map(({ agent }) => agent);
  };
  assert.deepEqual(names("free_gib>2"), ["desk"]);
  assert.deepEqual(names("backend=wasm"), ["desk", "attic"]);
  assert.deepEqual(names("backend!=wasm"), []);
  assert.deepEqual(names("text-classification/fasttext>1"), ["desk", "attic"]);
  const sweeps = [
    sweepFixture("s1"),
    sweepFixture("s2", { metric: "rmse", best: { trial: "s2-1", model: "linear", value: 3, resource: 1 } }),
  ];
  const best = selectRows(sweeps, sweepFields, { where: [read("rmse<4")] });
  assert.ok(best.ok && best.value.length === 1 && best.value[0]?.sweep === "s2");
  for (const list of [fields, sweepFields, agentFields, modelFields, datasetFields]) {
    const own = list.columns.map(({ name }) => name);
    assert.equal(new Set(own).size, own.length);
    assert.ok(own.includes(list.row), list.row);
  }
});
