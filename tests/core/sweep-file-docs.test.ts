/** The pages on sweep files against the program: their files are read, and every name they should explain is there. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { models } from "../../training/catalog/model-catalog.ts";
import type { ParameterSpec } from "../../training/task/task.ts";
import { readDatasetFile } from "../../spec/dataset/read-dataset-file.ts";
import { readAnyFile } from "../../spec/file/read-any-file.ts";
import { formatProblems } from "../../spec/yaml/problem.ts";
import { katibAlgorithms } from "../../spec/katib/katib-shape.ts";
import { distributionShapes } from "../../spec/wandb/convert-distribution.ts";
import { wandbShape } from "../../spec/wandb/wandb-shape.ts";
import { listMacros, namingMacros, wordMacros } from "../../protocol/command-macro.ts";
import { codeVersion, projectFolder } from "../../training/version/code-version.ts";
import { commandFileSchema, sweepFileSchema } from "../../spec/sweep/sweep-file-shape.ts";
import { distributionNames } from "../../protocol/space.ts";
import { methodNames } from "../../protocol/sweep.ts";
import { blocksOf, cellsOf, textOf, writeMarkedFiles } from "../support/page.ts";
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

describe("DOC-3: docs/sweep-file.md is what the program reads", () => {
  test("its sweep files, the README's and the tour's are read without a complaint", () => {
    for (const file of ["README.md", "docs/tour.md", "docs/sweep-file.md"]) {
      const folder = mkdtempSync(join(tmpdir(), "trialmesh-page-"));
      try {
        const names = writeMarkedFiles(blocksOf(file), folder).filter((name) => name.endsWith(".yaml"));
        assert.ok(names.length > 0, file);
        for (const name of names) {
          const given = {
            file: join(folder, name),
            text: readFileSync(join(folder, name), "utf8"),
            environment: {},
          };
          const read = /^sources:/mu.test(given.text)
            ? readDatasetFile(given)
            : readAnyFile({ ...given, models, codeVersion, overrides: {} });
          assert.ok(read.ok, read.ok ? "" : formatProblems(name, read.problems));
        }
      } finally {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    }
  });

  test("its tables have every parameter of every model, with values, default and meaning", () => {
    const rows = textOf("docs/sweep-file.md")
      .split("\n")
      .map((row) => cellsOf(row).join(" | "));
    const missing = models
      .filter((declaration) => declaration.task !== "noop")
      .flatMap(({ model, parameters }) =>
        Object.entries(parameters)
          .map(([name, spec]) => rowOf(name, spec))
          .filter((row) => !rows.includes(row))
          .map((row) => `${model}: ${row}`),
      );
    assert.deepEqual(missing, []);
  });

  function rowOf(name: string, spec: ParameterSpec): string {
    const values =
      spec.type === "choice"
        ? spec.choices.join(", ")
        : `${plain(spec.min)} to ${plain(spec.max)}${spec.type === "int" ? ", whole" : ""}`;
    const usual = typeof spec.default === "number" ? plain(spec.default) : String(spec.default);
    return [`\`${name}\``, values, usual, spec.about].join(" | ");
  }

  /** Without an exponent. */
  function plain(value: number): string {
    return value.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 12 });
  }
});
