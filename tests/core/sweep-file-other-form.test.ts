/** Keys of one form of sweep file in the other: said what they are for, instead of taken for a slip. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ofCommandFiles, ofModelFiles } from "../../spec/sweep/other-form.ts";
import { commandFileSchema, sweepFileSchema } from "../../spec/sweep/sweep-file-shape.ts";
import { parseAt } from "../../spec/yaml/explain-issue.ts";
import type { Problem } from "../../spec/yaml/problem.ts";
import { parseYaml } from "../../spec/yaml/located-yaml.ts";

for (const [name, schema, elsewhere, other] of [
  ["a command file", commandFileSchema, ofModelFiles, sweepFileSchema],
  ["a file of models", sweepFileSchema, ofCommandFiles, commandFileSchema],
] as const) {
  test(`FORM-1: what ${name} cannot have and the other form can is said as what it is`, () => {
    const strange = Object.keys(other.shape).filter((key) => !Object.hasOwn(schema.shape, key));
    assert.ok(strange.length > 3);
    for (const key of strange) {
      const text = `name: x\n${key}: { model: mine }\n`;
      const yaml = parseYaml(text);
      assert.ok(yaml.ok);
      const problems: Problem[] = [];
      parseAt<unknown>(schema, yaml.yaml.value, yaml.yaml, [], problems, elsewhere);
      const [problem] = problems.filter(({ field }) => field[0] === key);
      assert.match(problem?.message ?? "", /^is for /u, key);
      assert.doesNotMatch(problem?.message ?? "", /did you mean|unknown key/u);
      assert.equal(problem?.line, 2);
    }
  });
}
