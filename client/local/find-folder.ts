/** In which folder a command's program is: the one its words are looked for from. */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { CommandSweep } from "../../spec/sweep/command-sweep.ts";
import type { Origin } from "../../spec/file/read-any-file.ts";

/**
 * Our own files mean their own folder, as with datasets. Other tools' mean the folder one stands in, unless the program
 * is found only beside the file.
 */
export function findFolder(sweep: CommandSweep, origin: Origin, file: string): string {
  const beside = resolve(dirname(file));
  const here = process.cwd();
  if (origin === "trialmesh") return beside;
  const words = [sweep.program ?? "", ...sweep.command].filter(
    (word) => word !== "" && !word.includes("${") && !isAbsolute(word),
  );
  const paths = words.filter((word) => /[./]/.test(word) && !word.startsWith("-"));
  const isThere = (folder: string) => paths.some((path) => existsSync(join(folder, path)));
  return !isThere(here) && isThere(beside) ? beside : here;
}
