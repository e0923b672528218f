/** Folders of our own export that come back: they answer as the model does, run none of their own programs, and what is wrong with one is a sentence. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openExported } from "../../serving/exported/open-exported.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { openServedModel } from "../../serving/model/open-served-model.ts";
import { exportedFolder, exportedName } from "../support/exported-folder.ts";
import { caseName, modelCases, trainedModel } from "../support/model-case.ts";

async function opened(folder: string): Promise<ServedModel> {
  const model = await openExported({ folder, name: exportedName });
  assert.ok(model.ok, model.ok ? "" : model.refusal.message);
  return model.value;
}

describe("MODEL-RUN-6: a folder of our own export answers as the model that it was made of", () => {
  for (const one of modelCases)
    test(caseName(one), async () => {
      const { bytes, predictor } = await trainedModel(one);
      const model = await opened(await exportedFolder(bytes, "safetensors"));
      const whole = await openServedModel({ bytes, manifest: null, name: exportedName });
      assert.ok(whole.ok);
      const { inputs } = whole.value.signature;
      assert.deepEqual(model.signature.labels, whole.value.signature.labels);
      assert.deepEqual(
        model.signature.inputs.map(({ name }) => name),
        inputs.map(({ name }) => name),
      );
      const texts = ["wo ist der Bahnhof", "two days, three hours", "ä", "x ".repeat(300)];
      const columns = new Map(
        inputs.map(({ name }, at) => [
          name,
          texts.map((text, row) => (predictor.kind === "text" ? text : (row - at) / 2)),
        ]),
      );
      const answers = await Promise.all(
        [model, whole.value].map(async (asked) => asked.answer({ count: texts.length, columns })),
      );
      const [ours, wanted] = answers.map((answer) => {
        assert.ok(answer.ok, answer.ok ? "" : answer.refusal.message);
        return answer.value.kind === "labels" ? answer.value.probabilities : answer.value.values;
      });
      assert.equal(ours?.length, wanted?.length);
      wanted?.forEach((value, at) =>
        assert.ok(
          Math.abs(value - (ours?.[at] ?? 0)) <= 1e-5 * Math.max(1, Math.abs(value)),
          `${at}: ${value}`,
        ),
      );
      whole.value.dispose();
      model.dispose();
    });

  test("programs in the folder are not run, and what is damaged is said", async () => {
    const [first] = modelCases;
    assert.ok(first !== undefined);
    const { bytes } = await trainedModel(first);
    const folder = await exportedFolder(bytes, "safetensors");
    const trace = join(folder, "was-run");
    for (const program of ["predict.mjs", "model.mjs", "graph.mjs", "transform.mjs"])
      writeFileSync(
        join(folder, program),
        `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(trace)}, "");\n`,
      );
    const model = await opened(folder);
    assert.equal(existsSync(trace), false);
    model.dispose();
    const whole = readFileSync(join(folder, "model.safetensors"));
    const transform = readFileSync(join(folder, "transform.json"), "utf8");
    const wrong: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
      ["model.safetensors", whole.subarray(0, 20), /files are damaged/],
      ["graph.json", "{", /files are damaged/],
      ["transform.json", "{}", /transform\.json is none/],
      ["transform.json", transform.replace('"version": 1', '"version": 99'), /newer trialmesh/],
    ];
    for (const [file, content, sentence] of wrong) {
      const before = readFileSync(join(folder, file));
      writeFileSync(join(folder, file), content);
      const refused = await openExported({ folder, name: exportedName });
      assert.ok(!refused.ok);
      assert.match(refused.refusal.message, sentence);
      writeFileSync(join(folder, file), before);
    }
    rmSync(join(folder, "graph.json"));
    assert.equal((await openExported({ folder, name: exportedName })).ok, false);
  });
});
