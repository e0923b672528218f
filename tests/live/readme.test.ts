/**
 * The documentation against the program: every marked command of the README runs, every marked sweep file
 * is read, and what the pages name (files, rules, parameters, packages) is there. Blocks are marked in
 * their first line: `sh test` is run, `yaml test=NAME` and `text test=NAME` are written to that file.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { models } from "../../training/catalog/model-catalog.ts";
import type { ParameterSpec } from "../../training/task/task.ts";
import { codeVersion, projectFolder } from "../../training/version/code-version.ts";
import { readDatasetFile } from "../../spec/dataset/read-dataset-file.ts";
import { formatProblems } from "../../spec/yaml/problem.ts";
import { readSweepFile } from "../support/read-sweep-file.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { openHome } from "../../mesh/home.ts";
import { findNatsServer, skipWithoutNats } from "../support/nats-server.ts";
import { mainFile, outcomeOf, type CliResult } from "../support/run-cli.ts";

const commandTimeoutMs = 100_000;

const pages = ["README.md", ...markdownUnder("docs")];

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** What follows the language, such as `test` or `test=phrases.yaml`. */
  readonly mark: string;
  readonly text: string;
}

function markdownUnder(folder: string): string[] {
  return readdirSync(join(projectFolder, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return markdownUnder(path);
      return entry.name.endsWith(".md") ? [path] : [];
    })
    .toSorted();
}

function textOf(page: string): string {
  return readFileSync(join(projectFolder, page), "utf8");
}

function blocksOf(page: string): Block[] {
  const text = textOf(page);
  return [...text.matchAll(/^```(\w+)[ \t]*(.*)\n([\s\S]*?)^```$/gm)].map((found) => ({
    page,
    line: text.slice(0, found.index).split("\n").length,
    language: found[1] ?? "",
    mark: (found[2] ?? "").trim(),
    text: found[3] ?? "",
  }));
}

/** A page without its code blocks. */
function proseOf(page: string): string {
  return textOf(page).replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** Writes the blocks marked `test=NAME` into `folder`; the names. */
function writeMarkedFiles(blocks: readonly Block[], folder: string): string[] {
  return blocks.flatMap(({ mark, text }) => {
    const name = /^test=(\S+)$/.exec(mark)?.[1];
    if (name === undefined) return [];
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    return [name];
  });
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "trialmesh-readme-"));
}

/** One row of a table, as its cells. */
function cellsOf(row: string): string[] {
  return row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe("DOC-1: the README's commands do what they say", { skip: skipWithoutNats }, () => {
  let folder = "";
  const home = () => join(folder, "home");
  const environment = () => ({
    ...process.env,
    CI: "1",
    PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"] ?? ""}`,
    TRIALMESH_HOME: home(),
    TRIALMESH_NATS_SERVER: findNatsServer(),
    TRIALMESH_LEASE_MS: "3000",
  });
  const blocks = blocksOf("README.md");
  const marked = blocks.filter(({ language, mark }) => language === "sh" && mark === "test");

  function shell(script: string): Promise<CliResult> {
    return outcomeOf(
      spawn("sh", ["-e", "-c", script], {
        cwd: folder,
        env: environment(),
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  }

  /** The README's mesh runs in the background: it must not outlive a test that is told to end. */
  const endMesh = (): void => {
    const opened = openHome(home());
    const record = opened.ok ? readUpRecord(opened.value) : null;
    if (record !== null) process.kill(record.pid, "SIGTERM");
  };
  const onTerm = (): void => {
    endMesh();
    process.kill(process.pid, "SIGTERM"); // nobody listens to this one any more
  };

  before(() => {
    folder = temporaryFolder();
    process.once("exit", endMesh);
    process.once("SIGTERM", onTerm);
    mkdirSync(join(folder, "bin"));
    // The one liberty taken: `up` gets any free port, for 4222 may be in use where the tests run.
    writeFileSync(
      join(folder, "bin", "trialmesh"),
      `#!/bin/sh\n[ "$1" = up ] && set -- "$@" --port 0\nexec "${process.execPath}" "${mainFile}" "$@"\n`,
      { mode: 0o755 },
    );
    symlinkSync(join(projectFolder, "examples"), join(folder, "examples"));
    writeMarkedFiles(blocks, folder);
  });
  after(async () => {
    await shell("trialmesh down || true");
    process.off("exit", endMesh).off("SIGTERM", onTerm);
    rmSync(folder, { recursive: true, force: true });
  });

  assert.ok(marked.length > 0, "the README has no block marked `sh test`");
  for (const { line, text } of marked) {
    const first = text.split("\n")[0]?.replace(/\s+#.*$/, "") ?? "";
    test(`README.md:${line}: ${first}`, { timeout: commandTimeoutMs }, async () => {
      const { code, out, err } = await shell(text);
      assert.equal(code, 0, `${text}\n${out}\n${err}`);
    });
  }
});

describe("DOC-2: what the pages name is there", () => {
  for (const page of pages) {
    test(`every link of ${page} leads somewhere`, () => {
      const dead = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((found) => found[1] ?? "")
        .filter((target) => !/^(https?:|mailto:|#)/.test(target))
        .filter((target) => {
          const path = join(projectFolder, dirname(page), target.replace(/#.*$/, ""));
          return relative(projectFolder, path).startsWith("..") || !existsSync(path);
        });
      assert.deepEqual(dead, []);
    });
  }

  test("every npm script the pages name is one", () => {
    const known = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(textOf("package.json"))).scripts;
    const named = pages.flatMap((page) =>
      [...textOf(page).matchAll(/npm (?:run )?(start|test|(?<=run )[a-z]+)\b/g)].map(
        (found) => found[1] ?? "",
      ),
    );
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((name) => known[name] === undefined),
      [],
    );
  });

  test("each rule of docs/rules.md stands in the files it links to", () => {
    const rows = textOf("docs/rules.md")
      .split("\n")
      .filter((row) => /^\| [A-Z]+-\d/.test(row))
      .map(cellsOf);
    assert.ok(rows.length > 0);
    const wrong = rows.flatMap(([rule = "", , where = ""]) => {
      const files = [...where.matchAll(/\]\(([^)]+)\)/g)].map((found) => join("docs", found[1] ?? ""));
      if (files.length === 0) return [`${rule}: no file`];
      const names = new RegExp(`\\b${rule}\\b`);
      return files.filter((file) => !names.test(textOf(file))).map((file) => `${rule}: not in ${file}`);
    });
    assert.deepEqual(wrong, []);
  });

  test("the page on dependencies has each package with its version, and no other", () => {
    const versions = z.record(z.string(), z.string()).default({});
    const { dependencies, devDependencies, peerDependencies } = z
      .object({ dependencies: versions, devDependencies: versions, peerDependencies: versions })
      .parse(JSON.parse(textOf("package.json")));
    const wanted = Object.entries({ ...dependencies, ...devDependencies, ...peerDependencies });
    const told = textOf("docs/decisions/14-dependencies.md")
      .split("\n")
      .filter((row) => row.startsWith("| `"))
      .flatMap((row) => {
        const [names = "", version = ""] = cellsOf(row);
        const packages = [...names.matchAll(/`([^`]+)`/g)].map((found) => found[1] ?? "");
        const each = version.split(", ");
        // `-backend-wasm` stands for the first package's name with its last part replaced.
        return packages.map((name, index): [string, string] => [
          name.startsWith("-") ? `@tensorflow/tfjs${name}` : name,
          each[index] ?? each[0] ?? "",
        ]);
      });
    assert.deepEqual(new Map(told), new Map(wanted));
    assert.equal(told.length, wanted.length, "none twice");
  });
});

describe("DOC-3: docs/sweep-file.md is what the program reads", () => {
  test("its sweep files, and the README's, are read without a complaint", () => {
    for (const page of ["README.md", "docs/sweep-file.md"]) {
      const folder = temporaryFolder();
      try {
        const names = writeMarkedFiles(blocksOf(page), folder).filter((name) => name.endsWith(".yaml"));
        assert.ok(names.length > 0, page);
        for (const name of names) {
          const file = join(folder, name);
          const text = readFileSync(file, "utf8");
          const read = /^sources:/mu.test(text)
            ? readDatasetFile({ file, text, environment: {} })
            : readSweepFile({ file, text, environment: {}, models, codeVersion });
          assert.ok(read.ok, read.ok ? "" : formatProblems(name, read.problems));
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
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
