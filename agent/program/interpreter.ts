/** Which Python programs get on this machine, and what of the environment goes with it. It asks it nothing, and runs nobody's program. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

const names = ["python", "python3"];

/**
 * TRIALMESH_PYTHON, which may also name the folder of a virtual environment, else the first of python and python3 that the path
 * has. W&B writes python; many systems have only python3.
 */
export function findInterpreter(environment: Environment): string {
  const wanted = environment["TRIALMESH_PYTHON"];
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  if (wanted !== undefined && wanted !== "") return named(wanted, folders);
  return names.find((name) => onPath(name, folders) !== null) ?? "python";
}

/** By its whole path where there is one: programs run in folders of their own, from where another leads elsewhere. */
function named(wanted: string, folders: readonly string[]): string {
  const isPath = /[/\\]/.test(wanted) || isEnvironmentHome(resolve(wanted));
  if (!isPath) return onPath(wanted, folders) ?? wanted;
  const path = resolve(wanted);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return path;
  return join(path, ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]));
}

function onPath(name: string, folders: readonly string[]): string | null {
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isEnvironmentHome(folder: string): boolean {
  return existsSync(join(folder, "pyvenv.cfg"));
}

/**
 * What activating its environment would set, where it lies in one: so what a program starts by itself (`python`, `torchrun`, a file
 * that begins with `env python3`) comes from there too.
 */
export function activation(interpreter: string, environment: Environment): Record<string, string> {
  if (!isAbsolute(interpreter)) return {};
  const folder = dirname(interpreter);
  const home = dirname(folder);
  const variable = isEnvironmentHome(home)
    ? "VIRTUAL_ENV"
    : existsSync(join(home, "conda-meta"))
      ? "CONDA_PREFIX"
      : null;
  if (variable === null) return {};
  const path = environment["PATH"] ?? "";
  return { [variable]: home, PATH: path === "" ? folder : `${folder}${delimiter}${path}` };
}

/** The first words of a command that mean whatever Python this machine's owner names. */
export function meansPython(word: string): boolean {
  return names.includes(word);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
