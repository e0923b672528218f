/** What of a folder does not travel unless it is named: what is hidden, what tools make again, and environments of Python's or conda's. */
import { stat } from "node:fs/promises";
import { join } from "node:path";

/** Folders of tools, which anyone can make again. Hidden names (.git, .venv, .env) are left out as well. */
const ignoredNames: readonly string[] = [
  "node_modules",
  "__pycache__",
  "venv",
  "wandb",
  "mlruns",
  "lightning_logs",
];

/** What a folder has that is an environment: of this machine alone, and full of links that lead out of it. */
const environmentMarks = ["pyvenv.cfg", "conda-meta"];
/** What of it is the environment's, where a program lies in the same folder. */
const environmentNames: ReadonlySet<string> = new Set(
  "pyvenv.cfg conda-meta bin include lib lib64 share Scripts Include Lib".split(" "),
);

export function isLeftOut(name: string): boolean {
  return name.startsWith(".") || ignoredNames.includes(name);
}

export async function isEnvironment(folder: string): Promise<boolean> {
  for (const mark of environmentMarks) {
    const found = await stat(join(folder, mark)).catch(() => null);
    if (found !== null) return true;
  }
  return false;
}

/** Which of a folder's entries stay behind. */
export async function leftOutIn(folder: string): Promise<(name: string) => boolean> {
  const isHome = await isEnvironment(folder);
  return (name) => isLeftOut(name) || (isHome && environmentNames.has(name));
}
