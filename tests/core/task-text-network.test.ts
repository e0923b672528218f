/** Text networks: what a text scores depends on that text alone, not on the batch and length it is computed with. */
import assert from "node:assert/strict";
import test from "node:test";
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { workloadDataset } from "../../agent/capability/workload.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import type { TextPredictor, Trainer } from "../../training/task/task.ts";
import type { Params } from "../../protocol/value.ts";

const workload = workloadDataset();
/** From one word to a dozen, so that every length the network is built for is used. */
const dataset: TextDataset = {
  ...workload,
  train: workload.train.map((example, row) => ({
    ...example,
    text: Array.from({ length: 1 + (row % 12) }, (_, at) => example.text.split(" ")[at % 4]).join(" "),
  })),
};
const small = { unit: "word", length: 12, width: 8, batch: 16, rowsPerEpoch: 64 };
const cases: [string, Params][] = [
  ["gru", { ...small, units: 8 }],
  ["transformer", { ...small, heads: 2, layers: 2 }],
  ["textcnn", { ...small, filters: 8 }],
];

async function trainerOf(model: string, params: Params): Promise<Trainer> {
  const opened = await openBackend("wasm");
  const found = findModel("text-classification", model);
  assert.ok(opened.ok && found.ok);
  const resolved = resolveParams(found.value, params);
  assert.ok(resolved.ok);
  const made = found.value.create({ params: resolved.value, seed: 2, dataset, backend: opened.value });
  assert.ok(made.ok);
  return made.value;
}

function probabilities(predictor: TextPredictor, texts: readonly string[]): number[][] {
  return predictor
    .predict(texts)
    .map((ranked) =>
      predictor.labels.map((label) => ranked.find((one) => one.label === label)?.probability ?? 2),
    );
}

for (const [model, params] of cases) {
  test(`TEXTNET-1: ${model}: a text scores the same alone and among longer and shorter ones`, async () => {
    const trainer = await trainerOf(model, params);
    await trainer.trainEpoch();
    assert.ok(trainer.predictor.kind === "text");
    const texts = dataset.train.slice(0, 24).map((example) => example.text);
    const together = probabilities(trainer.predictor, texts);
    for (const [at, text] of texts.entries()) {
      const [alone = []] = probabilities(trainer.predictor, [text]);
      for (const [label, probability] of alone.entries())
        assert.ok(Math.abs(probability - (together[at]?.[label] ?? 2)) < 1e-5, `text ${at}`);
    }
    trainer.dispose();
  });

  test(`TEXTNET-2: ${model}: what goes beyond the length is not read, and an unknown word is one token`, async () => {
    const trainer = await trainerOf(model, params);
    await trainer.trainEpoch();
    assert.ok(trainer.predictor.kind === "text");
    const long = dataset.train
      .slice(0, 12)
      .map((example) => example.text)
      .join(" ");
    const cut = long.split(" ").slice(0, 12).join(" ");
    const [whole, part, unseen, other] = probabilities(trainer.predictor, [long, cut, "qqqq", "zzzz"]);
    assert.deepEqual(whole, part);
    assert.deepEqual(unseen, other);
    trainer.dispose();
  });
}

test("TEXTNET-3: gru reads the order of words, transformer their places", async () => {
  for (const [model, params] of cases.slice(0, 2)) {
    const trainer = await trainerOf(model, params);
    await trainer.trainEpoch();
    assert.ok(trainer.predictor.kind === "text");
    const [text = ""] = dataset.train.slice(11, 12).map((example) => example.text);
    const turned = text.split(" ").toReversed().join(" ");
    const [forwards, backwards] = probabilities(trainer.predictor, [text, turned]);
    assert.notDeepEqual(forwards, backwards, model);
    trainer.dispose();
  }
});
