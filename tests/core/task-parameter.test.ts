/** Declarations are consistent with themselves, and a wrong parameter is refused by name. */
import assert from "node:assert/strict";
import test from "node:test";
import { spaceSchema } from "../../protocol/space.ts";
import { faultOf, resolveParams } from "../../training/task/parameter.ts";
import { findModel, models } from "../../training/catalog/model-catalog.ts";

for (const declaration of models) {
  test(`PARAM-1: ${declaration.model}: its defaults are values it accepts`, () => {
    for (const [name, spec] of Object.entries(declaration.parameters))
      assert.equal(faultOf(spec, spec.default), null, name);
  });

  test(`PARAM-2: ${declaration.model}: its default space lies within its parameters`, () => {
    // What has no parameters, such as the building of a dataset, is not searched.
    assert.equal(
      Object.keys(declaration.defaultSpace).length > 0,
      Object.keys(declaration.parameters).length > 0,
    );
    const space = spaceSchema.parse(declaration.defaultSpace);
    for (const [name, distribution] of Object.entries(space)) {
      const spec = declaration.parameters[name];
      assert.ok(spec !== undefined, `${name} is not a parameter`);
      const edges =
        "min" in distribution
          ? [distribution.min, distribution.max]
          : distribution.distribution === "choice"
            ? distribution.values
            : [];
      assert.ok(edges.length > 0);
      for (const edge of edges) assert.equal(faultOf(spec, edge), null, `${name} = ${edge}`);
    }
  });
}

test("PARAM-3: an unknown parameter, task or model is refused with the nearest known name", () => {
  const linear = findModel("text-classification", "linear");
  assert.ok(linear.ok);
  const params = resolveParams(linear.value, { wordNgram: 2 });
  assert.ok(!params.ok);
  assert.match(params.refusal.message, /did you mean "wordNgrams"\?/u);
  const task = findModel("text-clasification", "linear");
  assert.ok(!task.ok);
  assert.match(task.refusal.message, /did you mean "text-classification"\?/u);
  const model = findModel("text-classification", "fastext");
  assert.ok(!model.ok);
  assert.match(model.refusal.message, /did you mean "fasttext"\?/u);
});

test("PARAM-4: a value out of range is refused with the range; what is left out takes its default", () => {
  const linear = findModel("text-classification", "linear");
  assert.ok(linear.ok);
  for (const [name, value] of [
    ["lr", -1],
    ["lr", "high"],
    ["lr", Number.NaN],
    ["charMin", 1.5],
    ["bucketBits", 40],
  ] as const) {
    const refused = resolveParams(linear.value, { [name]: value });
    assert.ok(!refused.ok, `${name} = ${value}`);
    assert.deepEqual(refused.refusal.field, [name]);
  }
  const resolved = resolveParams(linear.value, { lr: 0.5 });
  assert.ok(resolved.ok);
  assert.equal(resolved.value["lr"], 0.5);
  assert.deepEqual(Object.keys(resolved.value), Object.keys(linear.value.parameters));
});
