/**
 * What of a program's source says that it takes its parameters otherwise than by its command line. It reads the files that the
 * command names and those that they import, and runs nothing.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { paramsVariable } from "../../spec/sweep/check-reach.ts";

const textMaxBytes = bytesPerMiB;
const filesMax = 200;
const usesWandb = /^[ \t]*(?:import|from)[ \t]+wandb\b/m;
const imports = /^[ \t]*(?:import|from)[ \t]+(\.?[\w.]+)/gm;

/** What it takes them from, as in a sentence; null where nothing says so. */
export function sourceOfParameters(words: readonly string[], folders: readonly string[]): string | null {
  for (const folder of folders)
    for (const text of textsOf(folder, words)) {
      if (usesWandb.test(text)) return "wandb.config";
      if (text.includes(paramsVariable)) return `the file that ${paramsVariable} names`;
    }
  return null;
}

/** Of the files that the words name, and of the Python modules beside them that those import. */
function textsOf(folder: string, words: readonly string[]): string[] {
  const paths = words.flatMap((word) => word.split(/\s+/)).flatMap((word) => fileOf(folder, word));
  const texts: string[] = [];
  for (let at = 0; at < Math.min(paths.length, filesMax); at++) {
    const path = paths[at] ?? "";
    const text = textAt(path) ?? "";
    texts.push(text);
    if (!path.endsWith(".py")) continue;
    for (const [, module = ""] of text.matchAll(imports))
      paths.push(...fileOf(dirname(path), module.replace(/^\./, "")).filter((each) => !paths.includes(each)));
  }
  return texts;
}

/** A path, or a module by its name. */
function fileOf(folder: string, word: string): string[] {
  if (word === "" || word.startsWith("-") || word.includes("${")) return [];
  const module = word.replaceAll(".", "/");
  const named = [word, `${module}.py`, `${module}/__init__.py`, `${module}/__main__.py`];
  const found = named.map((path) => resolve(folder, path)).find((path) => textAt(path) !== null);
  return found === undefined ? [] : [found];
}

/** Null where it is no file; of a large one nothing. */
function textAt(path: string): string | null {
  try {
    const entry = statSync(path);
    if (!entry.isFile()) return null;
    return entry.size <= textMaxBytes ? readFileSync(path, "utf8") : "";
  } catch {
    return null;
  }
}
