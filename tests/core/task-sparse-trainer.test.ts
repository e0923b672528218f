/** The trainer around the sparse models: rates by schedule, class weights, tables that do not fit, no text at all. */
import assert from "node:assert/strict";
import test from "node:test";
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { workloadDataset } from "../../agent/capability/workload.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { labelReports } from "../../training/task/classification-report.ts";
import { fasttext } from "../../training/text/fasttext.ts";
import { linear } from "../../training/text/linear.ts";
import { nbsvm } from "../../training/text/nbsvm.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";
import type { ModelDeclaration } from "../../training/task/task.ts";
import type { Params } from "../../protocol/value.ts";

function create(declaration: ModelDeclaration, given: Params, dataset: TextDataset) {
  const params = resolveParams(declaration, given);
  assert.ok(params.ok);
  return declaration.create({ params: params.value, seed: 3, dataset, backend: sparseBackend });
}

async function lossesOf(declaration: ModelDeclaration, params: Params): Promise<number[]> {
  const made = create(declaration, params, workloadDataset());
  assert.ok(made.ok);
  const losses: number[] = [];
  for (let epoch = 0; epoch < 3; epoch++) losses.push((await made.value.trainEpoch()).loss);
  return losses;
}

test("SPARSE-6: fastText's rate falls linearly unless told otherwise; linear's stays", async () => {
  const fast = { lr: 4, decayEpochs: 3 };
  assert.deepEqual(await lossesOf(fasttext, fast), await lossesOf(fasttext, { ...fast, schedule: "linear" }));
  assert.notDeepEqual(
    await lossesOf(fasttext, fast),
    await lossesOf(fasttext, { ...fast, schedule: "constant" }),
  );
  assert.deepEqual(
    await lossesOf(linear, {}),
    await lossesOf(linear, { schedule: "constant", decayEpochs: 1 }),
  );
  assert.notDeepEqual(
    await lossesOf(linear, {}),
    await lossesOf(linear, { schedule: "cosine", decayEpochs: 3 }),
  );
});

/** Label 1 is one in twelve, and its words are those of label 0 in other shares. */
function unbalanced(): TextDataset {
  const random = stream(1, "unbalanced", 0);
  const examples = Array.from({ length: 960 }, (_, at) => {
    const label = at % 12 === 0 ? 1 : 0;
    const words = Array.from({ length: 4 }, () => {
      const telling = random.next() < (label === 1 ? 0.5 : 0.2);
      return `${telling ? "telling" : "common"}${Math.floor(random.next() * 6)}`;
    });
    return { text: words.join(" "), label };
  });
  return {
    kind: "text",
    name: "unbalanced",
    labels: ["frequent", "rare"],
    train: examples.slice(480),
    validation: examples.slice(0, 480),
    test: [],
  };
}

async function rareRecall(declaration: ModelDeclaration, params: Params): Promise<number> {
  const made = create(declaration, { charMax: 0, wordNgrams: 1, ...params }, unbalanced());
  assert.ok(made.ok);
  for (let epoch = 0; epoch < 20; epoch++) await made.value.trainEpoch();
  made.value.evaluate("validation");
  const saved = decodeCheckpoint(made.value.save());
  assert.ok(saved.ok);
  const { report, labels } = saved.value.meta;
  assert.ok(report?.validation !== undefined);
  return labelReports(report.validation, labels)[1]?.recall ?? Number.NaN;
}

for (const declaration of [linear, nbsvm, fasttext]) {
  test(`SPARSE-7: ${declaration.model}: balanced class weights find more of a rare label`, async () => {
    const params: Params = declaration === fasttext ? { lr: 0.1, decayEpochs: 20 } : { lr: 0.1 };
    const plain = await rareRecall(declaration, params);
    const balanced = await rareRecall(declaration, { ...params, classWeights: "balanced" });
    assert.ok(balanced > plain + 0.2, `recall ${balanced}, ${plain} without`);
  });
}

test("SPARSE-8: a trainer predicts nothing of no text, and the same of a text among others as alone", async () => {
  const made = create(nbsvm, {}, workloadDataset());
  assert.ok(made.ok);
  await made.value.trainEpoch();
  const { predictor } = made.value;
  assert.ok(predictor.kind === "text");
  assert.deepEqual(predictor.predict([]), []);
  const texts = workloadDataset()
    .train.slice(0, 5)
    .map((example) => example.text);
  const together = predictor.predict([...texts, "", "\u{1f40b}"]);
  texts.forEach((text, at) => assert.deepEqual(predictor.predict([text])[0], together[at]));
  for (const ranked of together) {
    assert.equal(ranked.length, 8);
    assert.ok(Math.abs(ranked.reduce((sum, one) => sum + one.probability, 0) - 1) < 1e-9);
  }
});
