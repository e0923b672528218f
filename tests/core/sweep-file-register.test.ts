/** `register` and `output` in sweep files: the short form, what a program must declare, and which folder that may be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCommandFile } from "../../spec/sweep/read-command-file.ts";
import { registerOf } from "../../spec/sweep/read-sweep-file.ts";
import { sweepFileSchema } from "../../spec/sweep/sweep-file-shape.ts";
import { parseAt } from "../../spec/yaml/explain-issue.ts";
import { parseYaml } from "../../spec/yaml/located-yaml.ts";
import type { Problem } from "../../spec/yaml/problem.ts";

const program = `name: p
command: [sh, train.sh, "\${args}"]
objective: { metric: accuracy }
search: { method: grid, trials: 2 }
parameters: { digit: [1, 2] }
`;

function readProgram(more: string) {
  const yaml = parseYaml(program + more);
  assert.ok(yaml.ok);
  return readCommandFile(yaml.yaml, { file: "/p/sweep.yaml", environment: {} });
}

function problemsOf(more: string): string[] {
  const read = readProgram(more);
  return read.ok ? [] : read.problems.map(({ field, message }) => `${field.join(".")}: ${message}`);
}

function registerIn(text: string): { problems: string[]; register: unknown } {
  const yaml = parseYaml(
    `name: m\ntask: noop\nstopping: { policy: none, max: 1 }\nsearch: { trials: 1 }\nmodels: { noop: {} }\n${text}\n`,
  );
  assert.ok(yaml.ok);
  const problems: Problem[] = [];
  const file = parseAt(sweepFileSchema, yaml.yaml.value, yaml.yaml, [], problems);
  return {
    problems: problems.map(({ field, message }) => `${field.join(".")}: ${message}`),
    register: file === null ? null : registerOf(file.register),
  };
}

test("SFR-1: a name alone is the model's and moves no alias; the long form says which, and a slip in it is told where it is", () => {
  assert.deepEqual(registerIn("register: reviews").register, { model: "reviews", alias: null });
  assert.deepEqual(registerIn("register: { model: reviews, alias: champion }").register, {
    model: "reviews",
    alias: "champion",
  });
  assert.deepEqual(registerIn("register: { model: reviews, alias: champion, move: always }").register, {
    model: "reviews",
    alias: "champion",
    move: "always",
  });
  assert.match(
    registerIn("register: { modle: reviews }").problems.join("\n"),
    /register\.modle: unknown key, did you mean "model"/,
  );
  assert.match(
    registerIn("register: { model: reviews, move: never }").problems.join("\n"),
    /register\.move: "never" is none of if-better, always/,
  );
  assert.match(registerIn("register: Reviews").problems.join("\n"), /register: .*a name is 1 to 31/);
  assert.match(registerIn("register: 7").problems.join("\n"), /register: should be text/);
});

test("SFR-2: a program registers what it leaves in its output folder, and is told so where it declares none", () => {
  const read = readProgram("output: model/\nregister: digits\n");
  assert.ok(read.ok);
  assert.deepEqual(
    [read.sweep.onMesh.output, read.sweep.onMesh.register],
    ["model/", { model: "digits", alias: null }],
  );
  for (const register of ["digits", "{ model: digits, alias: champion }"])
    assert.match(
      problemsOf(`register: ${register}\n`).join("\n"),
      /^register: is for trialmesh's own models, and for programs that say .*`output: FOLDER`.*a program keeps its best by/,
    );
  const yaml = parseYaml(`${program.replace(/command: .*/, "module: train.ts")}register: digits\n`);
  assert.ok(yaml.ok);
  const ofModule = readCommandFile(yaml.yaml, { file: "/p/sweep.yaml", environment: {} });
  assert.match(
    ofModule.ok ? "" : (ofModule.problems[0]?.message ?? ""),
    /and for commands with an output folder; a module's checkpoint is kept/,
  );
  assert.deepEqual(problemsOf("output: model\n"), [], "a folder to keep, with nothing to register");
});

test("SFR-4: a serve command is kept as its words, and is told what it lacks: a port, something registered, a command's form", () => {
  const registered = "output: model\nregister: digits\n";
  const read = readProgram(`${registered}serve: [python, serve.py, --port, "\${port}", 0.10]\n`);
  assert.ok(read.ok);
  assert.deepEqual(read.sweep.onMesh.serve, ["python", "serve.py", "--port", "${port}", "0.10"]);
  const none = readProgram(registered);
  assert.deepEqual(none.ok && none.sweep.onMesh.serve, null);
  assert.match(
    problemsOf(`${registered}serve: [python, serve.py]\n`).join("\n"),
    /^serve: has to say where it listens: \$\{port\}/,
  );
  assert.match(
    problemsOf('serve: [python, serve.py, "${port}"]\n').join("\n"),
    /^serve: answers with what is registered; add `output: FOLDER` and `register: NAME`$/,
  );
  const yaml = parseYaml(`${program.replace(/command: .*/, "module: train.ts")}serve: ["\${port}"]\n`);
  assert.ok(yaml.ok);
  const ofModule = readCommandFile(yaml.yaml, { file: "/p/sweep.yaml", environment: {} });
  assert.match(ofModule.ok ? "" : (ofModule.problems[0]?.message ?? ""), /^is for commands/);
});

test("SFR-3: the output folder is within the program's own, however it is written", () => {
  const part = fc.stringMatching(/^[a-z0-9_][a-z0-9_.-]{0,8}$/);
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.boolean(), (parts, slash) => {
      assert.deepEqual(problemsOf(`output: ${JSON.stringify(parts.join("/") + (slash ? "/" : ""))}\n`), []);
    }),
    { numRuns: 50 },
  );
  const bad = fc.constantFrom("..", ".", "", "a\\b", "C:", "x\0");
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 2 }),
      bad,
      fc.array(part, { minLength: 1, maxLength: 2 }),
      (before, wrong, after) => {
        const output = [...before, wrong, ...after].join("/");
        const [problem = "", ...more] = problemsOf(`output: ${JSON.stringify(output)}\n`);
        assert.match(problem, /^output: .* should be a folder within the program's own, such as model$/);
        assert.deepEqual(more, []);
      },
    ),
    { numRuns: 50 },
  );
});
