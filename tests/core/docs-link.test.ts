/**
 * DOC-2: what pages and comments name is there: links, paths, scripts, packages, decisions by number, folders. Not whether
 * their commands run (`readme.test.ts`) nor whether rules hold (`docs-rule.test.ts`).
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { blocksOf, cellsOf, fileOf, pages, proseOf, textOf } from "../support/page.ts";

const { rooms } = z
  .object({ rooms: z.array(z.string()) })
  .parse(await import(pathToFileURL(join(projectFolder, "scripts", "source-folder.mjs")).href));
const otherFolders = ["tests", "scripts", "examples", "docs"];
const topFolders = [...rooms, ...otherFolders];
const readmeLinesMost = 150;

const there = (path: string) => existsSync(join(projectFolder, path));

/** The targets of a page's links within the project, relative to the page. */
function linksOf(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((found) => found[1] ?? "")
    .filter((target) => !/^(https?:|mailto:)/.test(target));
}

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: string): Set<string> {
  return new Set(
    [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/**
 * Paths in code, spans and blocks alike, that begin with a folder of ours; not those that the page itself writes. One with
 * `NAME` in it is a pattern: then its folder is looked for.
 */
function namedPathsOf(page: string): string[] {
  const spans = [...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
  const written = blocksOf(page).flatMap((block) => [
    fileOf(block) ?? "",
    ...[...block.text.matchAll(/^cp \S+ (\S+)$/gm)].map(([, copy = ""]) => copy),
  ]);
  const words = [...spans, ...blocksOf(page).map(({ text }) => text)].flatMap((text) =>
    text.split(/[\s"'`(),;=[\]]+/),
  );
  return words
    .map((word) => word.replace(/[.:]+$/, "").replace(/:\d+$/, ""))
    .filter((word) => /^[a-z]+\/[\w./-]+$/.test(word) && topFolders.includes(word.split("/")[0] ?? ""))
    .filter((word) => !written.includes(word));
}

describe("DOC-2: what the pages name is there", () => {
  for (const page of pages) {
    test(`every link of ${page} leads somewhere`, () => {
      const dead = linksOf(page).filter((target) => {
        const [file = "", anchor] = target.split("#");
        const path = file === "" ? page : normalize(join(dirname(page), file));
        if (path.startsWith("..") || !there(path)) return true;
        return anchor !== undefined && !anchorsOf(path).has(anchor);
      });
      assert.deepEqual(dead, []);
    });
    test(`every path that ${page} names exists`, () => {
      const gone = namedPathsOf(page).filter((path) => !there(path.includes("NAME") ? dirname(path) : path));
      assert.deepEqual(gone, []);
    });
  }

  test("a link and a path that lead nowhere would be found", () => {
    assert.ok(linksOf("docs/ARCHITECTURE.md").length > 20 && namedPathsOf("CONTRIBUTING.md").length > 20);
    assert.ok(anchorsOf("docs/sweep-file.md").has("commands-of-your-own"));
  });

  test("every npm script the pages name is one", () => {
    const known = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(textOf("package.json"))).scripts;
    const named = pages.flatMap((page) =>
      [...textOf(page).matchAll(/npm (?:run )?(start|test|(?<=run )[a-z-]+)\b/g)].map(
        (found) => found[1] ?? "",
      ),
    );
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((name) => known[name] === undefined),
      [],
    );
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

  test("decisions are numbered from 01 without a gap, each under its number", () => {
    const files = readdirSync(join(projectFolder, "docs", "decisions")).filter((name) => /^\d\d-/.test(name));
    const numbers = files.toSorted().map((name) => name.slice(0, 2));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => String(index + 1).padStart(2, "0")),
    );
    for (const name of files)
      assert.match(textOf(`docs/decisions/${name}`), new RegExp(`^# ${name.slice(0, 2)} \\S`), name);
  });

  test("a link to a decision by its number names the decision of that number", () => {
    const wrong = pages.flatMap((page) =>
      [...proseOf(page).matchAll(/\[(?:decision )?(\d\d)\]\((?:decisions\/|docs\/decisions\/)?(\d\d)-/g)]
        .filter(([, said, linked]) => said !== linked)
        .map(([text]) => `${page}: ${text}`),
    );
    assert.deepEqual(wrong, []);
  });

  test(`the README has at most ${readmeLinesMost} lines`, () => {
    assert.ok(textOf("README.md").trimEnd().split("\n").length <= readmeLinesMost);
  });
});

describe("DOC-5: each top-level folder says what lives in it", () => {
  for (const folder of topFolders) {
    test(`${folder}/README.md names every folder in it`, () => {
      const text = textOf(`${folder}/README.md`);
      const inside = readdirSync(join(projectFolder, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith("__"))
        .map(({ name }) => name);
      assert.deepEqual(
        inside.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${name}/\``)),
        [],
      );
    });
  }
  for (const [rank, room] of rooms.entries()) {
    test(`${room}/README.md names the room right below it, from which it may import downwards`, () => {
      const said = /^May import:([\s\S]*?)(?=\n\n|(?![\s\S]))/m.exec(textOf(`${room}/README.md`))?.[1] ?? "";
      const named = [...said.matchAll(/`([a-z]+)`/g)].map(([, name = ""]) => name);
      assert.deepEqual(named, rooms.slice(Math.max(0, rank - 1), rank));
    });
  }
});

describe("DOC-7: what a comment names is there", () => {
  const sources = [...rooms, "tests", "scripts"].flatMap(filesIn);
  const names = new Set(sources.map((path) => basename(path)));
  const isThere = (named: string) =>
    named.includes("/")
      ? sources.some((path) => path === named || path.endsWith(`/${named}`))
      : names.has(named);

  test("every source file named in a comment of a room exists", () => {
    const gone = rooms
      .flatMap(filesIn)
      .filter((path) => /\.tsx?$/.test(path))
      .flatMap((path) =>
        [...textOf(path).matchAll(/`([a-z][\w/-]*\.(?:tsx?|mjs))`/g)]
          .map(([, named = ""]) => named)
          .filter((named) => !isThere(named))
          .map((named) => `${path} names ${named}`),
      );
    assert.deepEqual(gone, []);
  });

  function filesIn(folder: string): string[] {
    return readdirSync(join(projectFolder, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesIn(path) : [path];
    });
  }
});
