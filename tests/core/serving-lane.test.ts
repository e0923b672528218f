/** Batches of one version: who gets which rows, who is turned away, and what a request costs others. Time and turns are the test's. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { laneLimits, type LaneLimits } from "../../serving/batch/lane-limit.ts";
import { Lane } from "../../serving/batch/lane.ts";
import type { Answers, ServedModel } from "../../serving/model/served-model.ts";
import { describeModel } from "../../serving/protocol/described-model.ts";
import type { Reading } from "../../serving/protocol/http-refusal.ts";
import { standInAnswer, textModel } from "../support/stand-in-model.ts";

/** A lane whose turns the test runs one by one. */
function laneOf(model: ServedModel, limits: Partial<LaneLimits> = {}, msPerTurn = 0) {
  const turns: (() => void)[] = [];
  let time = 0;
  const lane = new Lane(describeModel(model), {
    now: () => (time += msPerTurn / 2),
    defer: (run) => void turns.push(run),
    limits: { ...laneLimits, ...limits },
  });
  const runAll = async () => {
    do {
      turns.shift()?.();
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    } while (turns.length > 0);
  };
  return { lane, turns, runAll };
}

type Heard =
  | { readonly ok: true; readonly rows: readonly number[] }
  | { readonly ok: false; readonly message: string };

function ask(lane: Lane, texts: readonly string[], isGone = () => false) {
  const heard: { answers: Heard[]; gone: number; full: number | null } = { answers: [], gone: 0, full: null };
  const done = (answers: Reading<Answers>) => {
    if (!answers.ok) return void heard.answers.push({ ok: false, message: answers.down.message });
    assert.ok(answers.value.kind === "labels");
    // Copied, as a writer does: the model's memory is used again.
    heard.answers.push({ ok: true, rows: [...answers.value.probabilities] });
  };
  const full = lane.ask({
    rows: { kind: "texts", count: texts.length, texts },
    bytes: texts.length,
    isGone,
    done,
    onGone: () => void heard.gone++,
  });
  heard.full = full?.status ?? null;
  return heard;
}

const rowsOf = (texts: readonly string[]) => texts.flatMap((text) => standInAnswer(text));
const requests = fc.array(
  fc.array(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 40 }),
  { minLength: 1, maxLength: 12 },
);

describe("SERVE-4: whatever is batched with whom, each caller gets their own rows, once", () => {
  test("for any requests, cut into any pieces, in this thread or in another", async () => {
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.integer({ min: 1, max: 16 }),
        fc.boolean(),
        async (all, window, isAsync) => {
          const { lane, runAll } = laneOf(textModel({ isAsync }), {
            batchRowsMin: window,
            batchRowsMax: window,
          });
          const heard = all.map((texts) => ask(lane, texts));
          await runAll();
          for (const [at, texts] of all.entries())
            assert.deepEqual(heard[at]?.answers, [{ ok: true, rows: rowsOf(texts) }]);
          assert.equal(lane.queued, 0);
          assert.equal(lane.counters.rows, all.flat().length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("one that the model refuses or fails at spoils nobody else's", async () => {
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.nat(),
        fc.constantFrom("refuse me", "throw"),
        async (all, where, word) => {
          const { lane, runAll } = laneOf(textModel({ isAsync: true }));
          const bad = where % all.length;
          const sent = all.map((texts, at) => (at === bad ? [...texts, word] : texts));
          const heard = sent.map((texts) => ask(lane, texts));
          await runAll();
          for (const [at, texts] of sent.entries()) {
            const [answer, ...more] = heard[at]?.answers ?? [];
            assert.equal(more.length, 0);
            if (at === bad) assert.ok(answer?.ok === false && answer.message.length > 10);
            else assert.deepEqual(answer, { ok: true, rows: rowsOf(texts) });
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("a text of which nothing is left is refused to its caller alone, however the model is asked", async () => {
    const whole = textModel();
    const isBlank = (texts: readonly string[]) => texts.includes("refuse me");
    const { lane, runAll } = laneOf({
      ...whole,
      answerTexts: (texts) => (isBlank(texts) ? null : (whole.answerTexts?.(texts) ?? null)),
    });
    const heard = [["a"], ["b", "refuse me"], ["c"]].map((texts) => ask(lane, texts));
    await runAll();
    const answers = heard.map((one) => one.answers[0]);
    assert.deepEqual(
      answers.map((answer) => answer?.ok),
      [true, false, true],
    );
    assert.match(answers[1]?.ok === false ? answers[1].message : "", /row 2 is not for this model/);
  });

  test("a model that gives too few numbers, or one that is none, is said to be at fault", async () => {
    for (const numbers of [new Float32Array(3), new Float32Array([NaN, 0, 0, 1])]) {
      const { lane, runAll } = laneOf({ ...textModel(), answerTexts: () => numbers });
      const heard = ask(lane, ["a"]);
      await runAll();
      const [answer] = heard.answers;
      assert.ok(answer?.ok === false && /fault is the model's/.test(answer.message));
    }
  });
});

describe("SERVE-5: batches form of what is there and wait for nothing", () => {
  test("what came in one turn is one batch; a lone request is one at once", async () => {
    const batches: number[] = [];
    const { lane, runAll, turns } = laneOf(textModel({ onBatch: (rows) => void batches.push(rows) }));
    for (let count = 0; count < 5; count++) ask(lane, ["a", "b"]);
    assert.equal(turns.length, 1);
    await runAll();
    ask(lane, ["c"]);
    await runAll();
    assert.deepEqual(batches, [10, 1]);
  });

  test("a model that answers sooner than others could come is asked at once; a slow one gathers", async () => {
    for (const [ms, isAtOnce] of [
      [0.02, true],
      [20, false],
    ] as const) {
      const { lane, runAll } = laneOf(textModel(), {}, ms);
      ask(lane, ["a"]);
      await runAll();
      const next = ask(lane, ["b"]);
      assert.equal(next.answers.length === 1, isAtOnce, `${ms} ms a batch`);
      await runAll();
      assert.deepEqual(next.answers, [{ ok: true, rows: rowsOf(["b"]) }]);
    }
  });

  test("while a batch is computed elsewhere, what comes is the next one", async () => {
    const batches: number[] = [];
    let release: () => void = () => undefined;
    const wait = () => new Promise<void>((resolve) => (release = resolve));
    const { lane, runAll } = laneOf(
      textModel({ isAsync: true, wait, onBatch: (rows) => void batches.push(rows) }),
    );
    ask(lane, ["a"]);
    await runAll();
    for (let count = 0; count < 7; count++) ask(lane, ["b"]);
    for (let turn = 0; turn < 2; turn++) {
      release();
      await runAll();
    }
    assert.deepEqual(batches, [1, 7]);
  });

  test("a large request is done in pieces, and a small one that came after it is not kept waiting for all of them", async () => {
    const order: string[] = [];
    const { lane, turns } = laneOf(textModel(), { batchRowsMax: 100 });
    const told = (name: string, texts: readonly string[]) =>
      lane.ask({
        rows: { kind: "texts", count: texts.length, texts },
        bytes: 0,
        isGone: () => false,
        done: () => void order.push(name),
      });
    told(
      "large",
      Array.from({ length: 1_000 }, (_, at) => `row ${at}`),
    );
    turns.shift()?.();
    told("small", ["a"]);
    for (let run = turns.shift(); run !== undefined; run = turns.shift()) run();
    assert.deepEqual(order, ["small", "large"]);
  });

  test("long texts are cut into batches by their characters, so that nobody waits for all of them", async () => {
    const batches: number[] = [];
    const { lane, runAll } = laneOf(textModel({ onBatch: (rows) => void batches.push(rows) }), {
      batchCharactersMax: 100,
    });
    const long = ask(
      lane,
      Array.from({ length: 5 }, () => "x".repeat(60)),
    );
    const short = ask(lane, ["a"]);
    await runAll();
    assert.deepEqual(batches, [2, 3, 1]);
    assert.deepEqual([long.answers.length, short.answers.length], [1, 1]);
  });

  test("the window follows what a row takes", async () => {
    const batches: number[] = [];
    const { lane, runAll } = laneOf(
      textModel({ onBatch: (rows) => void batches.push(rows) }),
      { batchMs: 10, batchRowsMin: 2 },
      10,
    );
    ask(
      lane,
      Array.from({ length: 10 }, () => "a"),
    );
    await runAll();
    ask(
      lane,
      Array.from({ length: 50 }, () => "a"),
    );
    await runAll();
    const [first, second = 0] = batches;
    assert.equal(first, 10);
    assert.ok(second < 50, `a batch of ${second} rows`);
  });
});

describe("SERVE-6: who cannot be answered soon is told at once, and who has left costs nothing", () => {
  test("a full queue turns away with 429 and when to come again; what it took is answered", async () => {
    const { lane, runAll } = laneOf(textModel(), { queueRowsMax: 10, queueBytesMax: 8 });
    const taken = ask(lane, ["a", "b", "c", "d"]);
    assert.equal(ask(lane, ["a", "b", "c", "d", "e", "f", "g"]).full, 429);
    assert.equal(ask(lane, ["a", "b", "c", "d", "e"]).full, 429, "too many bytes");
    await runAll();
    assert.equal(taken.answers.length, 1);
    assert.equal(
      ask(
        lane,
        Array.from({ length: 50 }, () => "a"),
      ).full,
      null,
      "an empty queue takes what one request may have",
    );
  });

  test("who would wait too long is turned away", async () => {
    const { lane, runAll } = laneOf(textModel(), { queueMaxMs: 100 }, 1_000);
    ask(lane, ["a"]);
    await runAll();
    ask(lane, ["a"]);
    const full = lane.ask({
      rows: { kind: "texts", count: 1, texts: ["b"] },
      bytes: 1,
      isGone: () => false,
      done: () => undefined,
    });
    assert.equal(full?.status, 429);
    assert.ok((full.retryAfterSeconds ?? 0) >= 1);
  });

  test("nothing is computed for a caller who left", async () => {
    let rows = 0;
    const { lane, runAll } = laneOf(textModel({ onBatch: (count) => (rows += count) }));
    const left = ask(lane, ["a", "b"], () => true);
    const stayed = ask(lane, ["c"]);
    await runAll();
    assert.deepEqual(
      [rows, left.answers.length, left.gone, stayed.answers.length, lane.queued],
      [1, 0, 1, 1, 0],
    );
  });

  test("SERVE-7: one that is retired answers what it was asked, then is freed once", async () => {
    let freed = 0;
    const { lane, runAll } = laneOf(textModel({ isAsync: true, onDispose: () => void freed++ }), {
      batchRowsMax: 1,
      batchRowsMin: 1,
    });
    const heard = [ask(lane, ["a"]), ask(lane, ["b", "c"])];
    const retired = lane.retire();
    assert.equal(freed, 0);
    await runAll();
    await retired;
    assert.deepEqual([freed, ...heard.map(({ answers }) => answers.length)], [1, 1, 1]);
  });
});
