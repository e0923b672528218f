/** docs/rules.md against the code: a row stands where it says, and a rule that code or a page names is to be found. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { cellsOf, pages, textOf } from "../support/page.ts";

const { rooms } = z
  .object({ rooms: z.array(z.string()) })
  .parse(await import(pathToFileURL(join(projectFolder, "scripts", "source-folder.mjs")).href));

/** Looks like a rule's number, and is a standard's, a file format's or a data set's. */
const notRules = /^(SHA|UTF|ISO|ADR|SST|RFC|CP|PCG|L-BFGS|ED)-|^OPENSSL/;
const ruleId = /(?<![\w-])[A-Z][A-Z]+(?:-[A-Z]+)*-\d+b?(?![\w-])/g;

const rows = textOf("docs/rules.md")
  .split("\n")
  .map(cellsOf)
  .filter(([rule = ""]) => /^[A-Z]+(-[A-Z]+)*-\d+b?$/.test(rule));
const known = new Set(rows.map(([rule = ""]) => rule));

function sourcesIn(folder: string): string[] {
  return readdirSync(join(projectFolder, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sourcesIn(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function rulesIn(path: string): string[] {
  return (textOf(path).match(ruleId) ?? []).filter((id) => !notRules.test(id));
}

describe("DOC-6: docs/rules.md is what the code holds", () => {
  test("each rule stands in the files it links to", () => {
    assert.ok(rows.length > 0);
    const wrong = rows.flatMap(([rule = "", , where = ""]) => {
      const files = [...where.matchAll(/\]\(([^)]+)\)/g)].map((found) => join("docs", found[1] ?? ""));
      if (files.length === 0) return [`${rule}: no file`];
      const names = new RegExp(`\\b${rule}\\b`);
      return files.filter((file) => !names.test(textOf(file))).map((file) => `${rule}: not in ${file}`);
    });
    assert.deepEqual(wrong, []);
  });

  test("no rule has two rows", () => assert.equal(known.size, rows.length));

  test("each rule that the code of a room, the simulation or the journal's audit names has its row", () => {
    const holding = [
      ...rooms.flatMap(sourcesIn),
      ...sourcesIn("tests/sim"),
      "tests/support/journal-audit.ts",
    ];
    const named = holding.flatMap((path) => rulesIn(path).map((id) => ({ id, path })));
    assert.ok(named.length > 50);
    assert.deepEqual(
      named.filter(({ id }) => !known.has(id)).map(({ id, path }) => `${id}, named in ${path}`),
      [],
    );
  });

  test("each rule that a page names has its row, or stands in a test", () => {
    const tested = new Set(sourcesIn("tests").flatMap(rulesIn));
    const lost = pages.flatMap((page) =>
      rulesIn(page)
        .filter((id) => !known.has(id) && !tested.has(id))
        .map((id) => `${id}, named in ${page}`),
    );
    assert.deepEqual(lost, []);
  });
});
