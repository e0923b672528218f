/**
 * A Python with packages of a test's own, brought in by pip into a folder that the next run finds again. Where it cannot be had, why is
 * said, and tests of it are skipped.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bringMs = 600_000;
const runMs = 120_000;
const outputBytesMax = 256 * 1024 * 1024;
const cache = join(tmpdir(), "trialmesh-python-peers");

export type PythonPeer =
  | { readonly ok: true; readonly run: (script: string, ...words: readonly string[]) => string }
  | { readonly ok: false; readonly why: string };

/** `packages`: as pip takes them, with their versions. */
export function pythonPeer(name: string, packages: readonly string[]): PythonPeer {
  const home = join(cache, name);
  try {
    if (!existsSync(home)) bring(home, packages);
  } catch (error) {
    const [first = ""] = String(error instanceof Error ? error.message : error).split("\n");
    return { ok: false, why: `${packages.join(", ")} cannot be had here: ${first}` };
  }
  return {
    ok: true,
    run: (script, ...words) =>
      execFileSync(join(home, "bin", "python"), ["-c", script, ...words], {
        encoding: "utf8",
        timeout: runMs,
        maxBuffer: outputBytesMax,
        stdio: ["ignore", "pipe", "pipe"],
      }),
  };
}

/** Packages go to a folder that is moved to its place at the end: a run that is ended half way leaves none there. */
function bring(home: string, packages: readonly string[]): void {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "making-"));
  const run = (program: string, words: readonly string[]) =>
    execFileSync(program, words, { timeout: bringMs, stdio: ["ignore", "pipe", "pipe"] });
  try {
    run("python3", ["-m", "venv", folder]);
    run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", ...packages]);
    if (!existsSync(home)) renameSync(folder, home);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
