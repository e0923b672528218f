/**
 * What of a program's folder is trialmesh's own and not the program's: the sweep file that sends it, and pages that trialmesh wrote
 * there. They stay behind, so that another word in the sweep file, or a report, does not make another program of it.
 */
import { realpathSync } from "node:fs";
import { basename, extname, posix, relative, sep } from "node:path";
import type { BundledFile } from "../../agent/program/bundle.ts";
import { pageMark } from "../report/html-page.ts";

export interface OwnFileOptions {
  /** The sweep file. */
  readonly file: string;
  /** The program's. */
  readonly folder: string;
  /** Words of the command, and values of its environment. */
  readonly words: readonly string[];
  /** Files and folders that travel, as the sweep file names them; null: the whole folder. */
  readonly named: readonly string[] | null;
}

/** Files of people, not of programs: that one of these names the sweep file means nothing. */
const proseEndings = new Set([".md", ".rst", ".txt", ".html", ".yaml", ".yml", ".log"]);
/** A page begins with its mark. */
const pageHeadBytes = 1_024;

/** REUSE-6: the same program, whatever else the sweep file says. */
export function withoutOwnFiles(
  files: readonly BundledFile[],
  options: OwnFileOptions,
): readonly BundledFile[] {
  const { file, folder, named, words } = options;
  const sweepFile = relative(realpathSync(folder), realpathSync(file)).split(sep).join("/");
  const isNamed = (path: string) =>
    named?.some((name) => posix.normalize(name.replaceAll("\\", "/")) === path) === true;
  return files.filter((each) => {
    if (isNamed(each.path)) return true;
    if (each.path === sweepFile) return isReadByProgram(basename(file), files, words);
    return !isPage(each);
  });
}

/** A program may take settings of its own from the file that sends it. */
function isReadByProgram(name: string, files: readonly BundledFile[], words: readonly string[]): boolean {
  return (
    words.some((word) => word.includes(name)) ||
    files.some(
      ({ content, path }) =>
        !proseEndings.has(extname(path).toLowerCase()) &&
        Buffer.from(content.buffer, content.byteOffset, content.byteLength).includes(name),
    )
  );
}

function isPage({ content, path }: BundledFile): boolean {
  return path.endsWith(".html") && Buffer.from(content.subarray(0, pageHeadBytes)).includes(pageMark);
}
