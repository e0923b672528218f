/** The pages on sweep files against the program: their files are read, and every name they should explain is there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { katibAlgorithms } from "../../spec/katib/katib-shape.ts";
import { distributionShapes } from "../../spec/wandb/read-wandb-parameter.ts";
import { wandbShape } from "../../spec/wandb/wandb-shape.ts";
import { listMacros, namingMacros, wordMacros } from "../../protocol/command-macro.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { commandFileSchema, sweepFileSchema } from "../../spec/sweep/sweep-file-shape.ts";
import { distributionNames } from "../../protocol/space.ts";
import { methodNames } from "../../protocol/sweep.ts";
import { readText } from "../support/read-fixture.ts";

const page = (name: string) => readFileSync(join(projectFolder, "docs", name), "utf8");

function missing(text: string, names: readonly string[]): string[] {
  return names.filter((name) => !text.includes(`\`${name}`) && !text.includes(`distribution: ${name}`));
}

test("SFW-3: docs/sweep-file.md has every field, method and distribution, and its files are right", () => {
  const text = page("sweep-file.md");
  assert.deepEqual(missing(text, Object.keys(sweepFileSchema.shape)), []);
  assert.deepEqual(missing(text, Object.keys(commandFileSchema.shape)), []);
  assert.deepEqual(missing(text, methodNames), []);
  assert.deepEqual(missing(text, distributionNames), []);
  const whole = [...text.matchAll(/^```yaml.*\n(name: [\s\S]*?)^```$/gm)].map(([, file = ""]) => file);
  // The first names data that lies beside it.
  const alone = whole.filter((file) => !file.includes("data/train.txt"));
  assert.equal(alone.length, 2);
  for (const file of alone) {
    const read = readText(file);
    assert.ok(read.ok, JSON.stringify(read));
  }
});

test("SFW-4: docs/wandb-and-katib.md has every key, distribution, macro and algorithm", () => {
  const text = page("wandb-and-katib.md");
  assert.deepEqual(missing(text, Object.keys(wandbShape.shape)), []);
  assert.deepEqual(missing(text, Object.keys(distributionShapes)), []);
  assert.deepEqual(missing(text, katibAlgorithms), []);
  const macros = [...listMacros, ...wordMacros].map((name) => `\${${name}}`);
  assert.deepEqual(missing(text, [...macros, ...namingMacros.map((name) => `\${${name}:`)]), []);
});
