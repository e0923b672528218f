/** The Markdown pages of the project, as text, blocks, links and names. Not what they say: see the tests of each page. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectFolder } from "../../training/version/code-version.ts";

export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** What follows the language, such as `test` or `test=phrases.yaml`. */
  readonly mark: string;
  readonly text: string;
}

const notOurs = new Set(["node_modules", "dist", ".git", ".cache"]);

/** Every page of the project, relative to its folder. */
export const pages: readonly string[] = markdownUnder("").toSorted();

function markdownUnder(folder: string): string[] {
  return readdirSync(join(projectFolder, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : markdownUnder(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

export function textOf(path: string): string {
  return readFileSync(join(projectFolder, path), "utf8");
}

export function blocksOf(page: string): Block[] {
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
export function proseOf(page: string): string {
  return textOf(page).replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** The name in a mark `test=NAME`; null where it is no such mark. */
export function fileOf({ mark }: Block): string | null {
  return /^test=(\S+)$/.exec(mark)?.[1] ?? null;
}

/** Writes the blocks marked `test=NAME` into `folder`; the names. */
export function writeMarkedFiles(blocks: readonly Block[], folder: string): string[] {
  return blocks.flatMap((block) => {
    const name = fileOf(block);
    if (name === null) return [];
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), block.text);
    return [name];
  });
}

/** One row of a table, as its cells. */
export function cellsOf(row: string): string[] {
  return row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}
