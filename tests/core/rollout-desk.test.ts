/** Copies of requests beside those of callers, and a whole trial over lanes of stand-in models, without a socket. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { refuse } from "../../protocol/refusal.ts";
import { signatureDifference, standInFault } from "../../serving/model/same-signature.ts";
import { CopyQueue, copiesMax } from "../../serving/server/copy-queue.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import { laneFor } from "../support/serving-place.ts";
import { tableModel, textModel, wideModel } from "../support/stand-in-model.ts";
import { askTrial, openTrial, requestsMax, worseModel } from "../support/rollout-place.ts";

const rows = (text: string) => ({ kind: "texts", count: 1, texts: [text] }) as const;

describe("ROLL-7: copies are asked a few at a time, and a shadow's only while nobody waits", () => {
  function queueOf(isBusy: () => boolean) {
    const turns: (() => void)[] = [];
    let now = 0;
    const queue = new CopyQueue({ now: () => now, defer: (run) => void turns.push(run), isBusy });
    const turn = () => {
      for (const run of turns.splice(0)) run();
    };
    return { queue, turn, turns, pass: (ms: number) => (now += ms) };
  }

  test("while a caller waits none is asked, and nothing turns round waiting; the caller's answer wakes it", () => {
    let isBusy = true;
    const { queue, turn, turns } = queueOf(() => isBusy);
    const lane = laneFor(textModel());
    let heard = 0;
    queue.add({ rows: rows("a"), lane: () => lane, heard: () => heard++ });
    for (let at = 0; at < 5; at++) turn();
    assert.deepEqual([lane.counters.batches, turns.length, queue.waiting], [0, 0, 1]);
    isBusy = false;
    queue.wake();
    turn();
    assert.equal(queue.waiting, 0);
  });

  test("while some are being answered no more are asked, and their answers wake the next", async () => {
    const { queue, turn, turns } = queueOf(() => false);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const lane = laneFor(textModel({ isAsync: true, wait: () => gate }));
    let heard = 0;
    for (let at = 0; at < 200; at++)
      queue.add({ rows: rows(`a ${at}`), lane: () => lane, heard: () => heard++ });
    for (let at = 0; at < 5; at++) turn();
    assert.ok(lane.queued > 0 && lane.queued <= 64, `${lane.queued}`);
    assert.equal(turns.length, 0);
    release();
    while (heard < 200) {
      await new Promise((resolve) => void setImmediate(resolve));
      turn();
    }
    assert.deepEqual([queue.waiting, queue.dropped], [0, 0]);
  });

  test("where more come than there is time for, the oldest are dropped and counted, and what is kept stays in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 * copiesMax }), (count) => {
        const { queue, turn } = queueOf(() => false);
        const asked: number[] = [];
        const lane = laneFor(textModel());
        for (let at = 0; at < count; at++)
          queue.add({
            rows: rows("a"),
            lane: () => {
              asked.push(at);
              return at < 0 ? lane : null;
            },
            heard: () => undefined,
          });
        assert.equal(queue.dropped, Math.max(0, count - copiesMax));
        for (let at = 0; at < count; at++) turn();
        assert.deepEqual(
          asked,
          Array.from({ length: Math.min(count, copiesMax) }, (_, at) => at + queue.dropped),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe("ROLL-5: which version may stand in for which", () => {
  test("the same columns in another order are the same; other columns, kinds and labels are named", () => {
    const { signature } = tableModel();
    assert.equal(
      signatureDifference(signature, { ...signature, inputs: signature.inputs.toReversed() }),
      null,
    );
    const others = [
      { ...signature, inputs: signature.inputs.slice(1) },
      { ...signature, inputs: signature.inputs.map((input) => ({ ...input, kind: "text" }) as const) },
      { ...signature, inputs: signature.inputs.map((input) => ({ ...input, optional: true })) },
      { ...signature, labels: ["a"] },
    ];
    for (const other of others) assert.notEqual(signatureDifference(signature, other), null);
    const model = textModel();
    const program = { forward: () => Promise.resolve(refuse("unavailable", "it is away")) };
    assert.equal(standInFault(model, { ...model, version: 8 }), null);
    assert.match(
      standInFault(model, { ...model, version: 8, program }) ?? "",
      /trec@8 answers with its program/,
    );
    assert.match(signatureDifference(textModel().signature, wideModel().signature) ?? "", /labels/);
  });
});

describe("ROLL-2: a canary of 10%, 5% worse, is taken back within 2,000 requests, and one equally good is not", () => {
  const runs = 20;
  for (const how of ["errors", "labels", "truth"] as const)
    test(`by ${how}, ${runs} runs each`, async () => {
      for (const worse of [0.05, 0]) {
        const found: (number | null)[] = [];
        for (let seed = 1; seed <= runs; seed++) {
          const trial = openTrial({ how, worse, seed, share: 0.1 });
          found.push(await askTrial(trial, requestsMax));
        }
        const taken = found.filter((count) => count !== null).length;
        if (worse > 0) assert.equal(taken, runs, found.join(" "));
        else assert.equal(taken, 0, found.join(" "));
      }
    });

  test("a caller never hears of a canary's fault: the incumbent answers in its place", async () => {
    const trial = openTrial({ how: "errors", worse: 0.2, seed: 3, share: 1 });
    assert.notEqual(await askTrial(trial, requestsMax), null);
    assert.equal(trial.failed(), 0);
  });
});

test("ROLL-6: another incumbent begins the trial anew; the canary's own version ends it; another signature too", async () => {
  const table = new ModelTable(() => 0);
  const put = (version: number, model = textModel({ version })) => {
    const lane = laneFor(model);
    void table.put("trec@champion", lane);
    return lane;
  };
  const trial = openTrial({ how: "errors", worse: 0.2, seed: 1, share: 0.5, table, incumbent: put(7) });
  await askTrial(trial, 10);
  assert.ok((trial.desk.rollout.comparison("canary")?.counts.pairs ?? 0) > 0);
  put(6);
  assert.deepEqual(
    [
      trial.desk.rollout.comparison("canary")?.counts.pairs,
      trial.desk.rollout.state,
      trial.desk.incumbent.described.model.version,
    ],
    [0, "running", 6],
  );
  put(worseModel(0, "errors", 1).version);
  assert.deepEqual([trial.desk.rollout.state, trial.off], ["promoted", [null]]);
  const other = openTrial({ how: "errors", worse: 0, seed: 1, share: 0.5, table, incumbent: put(6) });
  put(9, { ...wideModel(), model: "trec", version: 9 });
  assert.equal(other.desk.rollout.state, "ended");
  assert.match(String(other.off[0]), /trec@9 answers now, beside which it gives the labels/);
});

test("ROLL-6: a shadow whose version takes the incumbent's place is a shadow no more, and is freed", async () => {
  let freed = 0;
  const table = new ModelTable(() => 0);
  void table.put("trec@champion", laneFor(textModel({ version: 7 })));
  const [place] = table.places;
  const desk = new RolloutDesk({
    ...{ alpha: 0.01, agreement: 0.98, copyShare: 1, promoteAfter: null, canary: null },
    incumbent: place?.lane ?? assert.fail(),
    shadow: laneFor(textModel({ version: 8, onDispose: () => void freed++ })),
    now: () => 0,
    defer: (run) => void setImmediate(run),
    onPromote: () => undefined,
    onCanaryOff: () => undefined,
  });
  table.try(desk);
  void table.put("trec@champion", laneFor(textModel({ version: 6 })));
  assert.notEqual(desk.shadow, null);
  void table.put("trec@champion", laneFor(textModel({ version: 8 })));
  assert.equal(desk.shadow, null);
  await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(freed, 1);
});
