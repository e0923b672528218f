/** Which Python `${interpreter}` means here, and in which folder a command runs. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import type { CommandSweep } from "../sweep-file/command-sweep.ts";
import type { Origin } from "../sweep-file/read-any-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const names = ["python", "python3"];

/** TRIALMESH_PYTHON, else the first of python and python3 that the path has. W&B writes python; many systems have only python3. */
export function findInterpreter(environment: Environment): string {
  const wanted = environment["TRIALMESH_PYTHON"];
  if (wanted !== undefined && wanted !== "") return wanted;
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.find((name) => folders.some((folder) => isExecutable(join(folder, name)))) ?? "python";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

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
