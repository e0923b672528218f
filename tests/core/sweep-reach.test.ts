/** Whether a search reaches its program: told or refused where the words of a command pass no parameter. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { sourceOfParameters } from "../../client/sweep/program-text.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { readAnyFile } from "../../spec/file/read-any-file.ts";
import { writeSweepFile } from "../../spec/file/write-sweep-file.ts";

interface Given {
  readonly command: readonly string[];
  readonly parameters: object;
  readonly search?: object;
  readonly more?: object;
}

function own({ command, more = {}, parameters, search = { method: "grid", trials: 100 } }: Given): string {
  return JSON.stringify({ name: "x", command, objective: { metric: "m" }, search, parameters, ...more });
}

function read(text: string, source: string | null = null) {
  const given = { file: "f.yaml", text, environment: {}, models, codeVersion: "test 1" };
  return readAnyFile({ ...given, sourceOfParameters: () => source });
}

/** What it is told at every run; null where it is refused for passing nothing. */
function warningsOf(text: string): readonly string[] | null {
  const found = read(text);
  if (!found.ok) {
    assert.deepEqual(
      found.problems.map(({ field }) => field),
      [["command"]],
    );
    assert.match(found.problems[0]?.message ?? "", /^no word of it passes a parameter/);
    return null;
  }
  assert.ok(found.file.kind === "command");
  return found.file.warnings.map(({ field, message }) => `${field.join(".")}: ${message}`);
}

describe("REACH-1: a command is refused, told or taken by what its words pass", () => {
  const two = { a: [1, 2], b: [1, 2, 3] };
  const table: readonly [what: string, given: Given, warnings: readonly RegExp[] | null][] = [
    ["none of two", { command: ["t"], parameters: two }, null],
    [
      "none of one range",
      {
        command: ["t"],
        parameters: { a: { distribution: "uniform", min: 0, max: 1 } },
        search: { method: "random", trials: 2 },
      },
      null,
    ],
    ["one trial", { command: ["t"], parameters: two, search: { method: "random", trials: 1 } }, []],
    ["all by args", { command: ["t", "${args}"], parameters: two }, []],
    ["all by a file", { command: ["t", "${args_json_file}"], parameters: two }, []],
    ["all within a word", { command: ["t", "--all=${args_json}"], parameters: two }, []],
    ["each by name", { command: ["t", "${parameter:a}${parameter:b}"], parameters: two }, []],
    [
      "one in a word, one in a variable",
      { command: ["t", "${parameter:a}"], parameters: two, more: { environment: { B: "${parameter:b}" } } },
      [],
    ],
    [
      "by the variable that names the file",
      { command: ["sh", "-c", "t < $TRIALMESH_PARAMS"], parameters: two },
      [],
    ],
    ["elsewhere, as the file says", { command: ["t"], parameters: two, more: { reads: "environment" } }, []],
    ["one point", { command: ["t"], parameters: { a: [1], b: 2 } }, []],
    ["one value, however often", { command: ["t"], parameters: { a: [1, 1] } }, []],
    [
      "a range without width",
      { command: ["t"], parameters: { a: { distribution: "int", min: 3, max: 3 } } },
      [],
    ],
    [
      "one of two",
      { command: ["t", "${parameter:a}"], parameters: two },
      [/^parameters\.b: b is searched \(6 trials\) and no word passes it, so 3 trials each run the same/],
    ],
    [
      "one of three",
      { command: ["t", "${parameter:a}"], parameters: { ...two, c: [1, 2] } },
      [/^parameters\.b: .*\(12 trials\).*so 6 trials each/, /^parameters\.c: .*so 6 trials each/],
    ],
    [
      "one of two, at random",
      { command: ["t", "${parameter:a}"], parameters: two, search: { method: "random", trials: 3 } },
      [/^parameters\.b: b is searched and no word passes it, so trials that differ in it alone run the same/],
    ],
  ];
  for (const [what, given, warnings] of table)
    test(what, () => {
      const found = warningsOf(own(given));
      if (warnings === null || found === null) return assert.deepEqual(found, warnings);
      assert.equal(found.length, warnings.length, found.join("\n"));
      for (const [index, warning] of warnings.entries()) assert.match(found[index] ?? "", warning);
    });
});

test("REACH-1: of any parameters those that have more than one value and stand nowhere are told", () => {
  const parameter = fc.record({ values: fc.integer({ min: 1, max: 3 }), passed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(parameter, { minLength: 1, maxLength: 5 }), (list) => {
      const named = list.map((one, index) => ({ ...one, name: `p${index}` }));
      const command = [
        "t",
        ...named.flatMap(({ name, passed }) => (passed ? [`-\${parameter:${name}}`] : [])),
      ];
      const parameters = Object.fromEntries(
        named.map(({ name, values }) => [name, Array.from({ length: values }, (_, n) => n)]),
      );
      const searched = named.filter(({ values }) => values > 1);
      const missed = searched.filter(({ passed }) => !passed);
      const warnings = warningsOf(own({ command, parameters }));
      if (searched.length > 0 && missed.length === searched.length) assert.equal(warnings, null);
      else
        assert.deepEqual(
          warnings?.map((warning) => warning.split(":")[0]),
          missed.map(({ name }) => `parameters.${name}`),
        );
    }),
    { numRuns: 300 },
  );
});

describe("REACH-2: a program whose source takes the parameters itself needs no word", () => {
  const wandb = JSON.stringify({
    program: "train.py",
    method: "grid",
    command: ["${interpreter}", "${program}"],
    metric: { name: "m" },
    parameters: { a: { values: [1, 2] } },
  });
  test("it is a note, and stands in the converted file", () => {
    const found = read(wandb, "wandb.config");
    assert.ok(found.ok && found.file.kind === "command");
    assert.equal(found.file.sweep.reads, "environment");
    assert.match(found.file.notes.map(({ message }) => message).join("\n"), /takes them from wandb\.config/);
    assert.deepEqual(warningsOf(writeSweepFile(found.file)), []);
  });
  test("without that it is refused, and told what would do", () => {
    const found = read(wandb);
    assert.ok(!found.ok);
    assert.match(found.problems.at(-1)?.message ?? "", /a program that imports wandb, or reads the file/);
  });
});

describe("REACH-2: what a program's source says", () => {
  const table: readonly [
    what: string,
    files: Readonly<Record<string, string>>,
    words: readonly string[],
    source: RegExp | null,
  ][] = [
    ["an import", { "t.py": "import os\nimport wandb\n" }, ["python3", "t.py"], /wandb/],
    [
      "an import within a function",
      { "t.py": "def main():\n    from wandb import init\n" },
      ["t.py"],
      /wandb/,
    ],
    ["a word about it", { "t.py": "# import of wandb was dropped\nprint('wandb')\n" }, ["t.py"], null],
    ["another module of that beginning", { "t.py": "import wandbish\n" }, ["t.py"], null],
    [
      "by a module of its own",
      { "t.py": "from lib.track import log\n", "lib/track.py": "import wandb" },
      ["t.py"],
      /wandb/,
    ],
    ["by one that nobody imports", { "t.py": "print(1)\n", "other.py": "import wandb" }, ["t.py"], null],
    ["started as a module", { "pkg/train.py": "import wandb" }, ["python3", "-m", "pkg.train"], /wandb/],
    ["in a shell's line", { "t.py": "import wandb" }, ["sh", "-c", "cd . && python3 t.py"], /wandb/],
    ["the file's variable", { "t.sh": "jq .a < $TRIALMESH_PARAMS" }, ["sh", "t.sh"], /TRIALMESH_PARAMS/],
    ["modules that import each other", { "a.py": "import b", "b.py": "import a" }, ["a.py"], null],
    ["no file at all", {}, ["t.py", "\0", "a".repeat(5_000), "${program}", "-x"], null],
  ];
  for (const [what, files, words, source] of table)
    test(what, () => {
      const folder = mkdtempSync(join(tmpdir(), "trialmesh-source-"));
      try {
        for (const [name, text] of Object.entries(files)) {
          mkdirSync(dirname(join(folder, name)), { recursive: true });
          writeFileSync(join(folder, name), text);
        }
        const found = sourceOfParameters(words, [folder]);
        if (source === null) assert.equal(found, null);
        else assert.match(found ?? "", source);
      } finally {
        rmSync(folder, { recursive: true, maxRetries: 5 });
      }
    });
});
