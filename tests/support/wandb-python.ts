/**
 * Pythons with W&B's real package in them, each version in an environment of its own that is made once and kept in `.cache`. Where
 * one cannot be made (no Python, no package index) it says why, for the test that is skipped then.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectFolder } from "../../training/version/code-version.ts";

/** The oldest, a middle and the newest version that what is said of wandb was measured with. */
export const wandbVersions = ["0.16.6", "0.19.11", "0.31.0"] as const;
export const newestWandb = "0.31.0";
/** Of numpy's older releases, which the oldest of these wants. */
const others = ["numpy<2"];
const installMaxMs = 240_000;

export interface WandbPython {
  readonly python: string;
  /** What to give a test as `skip`. */
  readonly skip: string | false;
}

export function wandbPython(version: string): WandbPython {
  const folder = join(projectFolder, ".cache", `wandb-${version}`);
  const python = join(folder, "bin", "python");
  if (isReady(python, version)) return { python, skip: false };
  // Made under another name: two tests may come to it at once.
  const made = `${folder}.${process.pid}`;
  const skip = make(made, version);
  if (skip === false && !isReady(python, version)) {
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } else rmSync(made, { recursive: true, force: true });
  return {
    python,
    skip: skip === false && !isReady(python, version) ? "it was installed and does not start" : skip,
  };
}

/** Why it could not be made; false where it is. */
function make(folder: string, version: string): string | false {
  mkdirSync(dirname(folder), { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const steps = [
    ["python3", "-m", "venv", folder],
    [join(folder, "bin", "python"), ...pip, `wandb==${version}`, ...others],
  ];
  for (const [program = "", ...words] of steps) {
    const { error, status, stderr } = spawnSync(program, words, { encoding: "utf8", timeout: installMaxMs });
    if (status !== 0)
      return `no wandb ${version} here: ${error?.message ?? stderr.trim().split("\n").at(-1)}`;
  }
  return false;
}

function isReady(python: string, version: string): boolean {
  if (!existsSync(python)) return false;
  const words = ["-c", "import numpy, wandb; print(wandb.__version__)"];
  return spawnSync(python, words, { encoding: "utf8" }).stdout.trim() === version;
}
