/** Which Python programs get: the one their machine's owner names, by whatever word the command begins with. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { expandCommand } from "../../agent/program/expand-command.ts";
import { activation, findInterpreter } from "../../agent/program/interpreter.ts";

const root = mkdtempSync(join(tmpdir(), "trialmesh-interpreter-"));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

function program(...parts: readonly string[]): string {
  const path = join(root, ...parts);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "#!/bin/sh\n", { mode: 0o755 });
  return path;
}

function venv(name: string, mark = "pyvenv.cfg"): string {
  program(name, "bin", "python");
  writeFileSync(join(root, name, mark), "");
  return join(root, name);
}

describe("PYTHON-1: the Python that an owner names", { skip: process.platform === "win32" }, () => {
  const home = venv("venv");
  const usr = join(root, "usr");
  program("usr", "python3");
  program("usr", "python3.12");
  const both = join(root, "both");
  program("both", "python");
  program("both", "python3");

  test("may be a path, a virtual environment's folder, or a word of the path", () => {
    const PATH = [usr, both].join(delimiter);
    const found = (TRIALMESH_PYTHON?: string, path = PATH) =>
      findInterpreter({ PATH: path, ...(TRIALMESH_PYTHON === undefined ? {} : { TRIALMESH_PYTHON }) });
    assert.equal(found(join(home, "bin", "python")), join(home, "bin", "python"));
    assert.equal(found(home), join(home, "bin", "python"));
    assert.equal(found(`${home}/`), join(home, "bin", "python"));
    assert.equal(found("python3.12"), join(usr, "python3.12"));
    assert.equal(found("python9"), "python9");
    assert.equal(found(""), "python");
    assert.equal(found(undefined, usr), "python3");
    assert.equal(found(undefined, ""), "python");
  });

  test("comes with its environment, as if that were activated", () => {
    const PATH = usr;
    const bin = join(home, "bin");
    assert.deepEqual(activation(join(bin, "python"), { PATH }), {
      VIRTUAL_ENV: home,
      PATH: `${bin}${delimiter}${usr}`,
    });
    assert.deepEqual(activation(join(bin, "python"), {}), { VIRTUAL_ENV: home, PATH: bin });
    mkdirSync(join(root, "conda", "conda-meta"), { recursive: true });
    const conda = program("conda", "bin", "python3.12");
    assert.deepEqual(activation(conda, { PATH })["CONDA_PREFIX"], join(root, "conda"));
    assert.deepEqual(activation(join(usr, "python3"), { PATH }), {});
    assert.deepEqual(activation("python3", { PATH }), {});
  });

  test("is meant by `python` and `python3` at a command's beginning, and by nothing else", () => {
    const word = fc.constantFrom(
      "python",
      "python3",
      "python3.11",
      "bash",
      "${interpreter}",
      "${env}",
      "train.py",
    );
    const words = fc.array(word, { minLength: 1, maxLength: 4 });
    const interpreter = fc.constantFrom(join(home, "bin", "python"), "python3", "python");
    fc.assert(
      fc.property(words, interpreter, (command, named) => {
        const expanded = expandCommand(
          { command, program: null, nested: [] },
          {},
          {
            trial: 1,
            environment: {},
            interpreter: named,
            platform: "linux",
            writeFile: () => "",
          },
        );
        assert.ok(expanded.ok);
        const meaning = new Map([
          ["${interpreter}", named],
          ["${env}", "/usr/bin/env"],
        ]);
        const plain = command.map((one) => meaning.get(one) ?? one);
        const first = plain[0] === "/usr/bin/env" ? 1 : 0;
        const isMeant = named.startsWith("/") && ["python", "python3"].includes(plain[first] ?? "");
        assert.deepEqual(expanded.value, isMeant ? plain.with(first, named) : plain);
      }),
    );
  });
});
