/**
 * What a test brings in for itself, such as a Python with packages of its own: in a folder of all tests, kept for the next run. Where it
 * cannot be had, why is said, and tests of it are skipped.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bringMs = 600_000;
const cache = join(tmpdir(), "trialmesh-test-peers");

export type Brought =
  | { readonly ok: true; readonly home: string }
  | { readonly ok: false; readonly why: string };

/** A folder that `make` has filled, in this run or an earlier one. `what`: as the reason names it. */
export function broughtFolder(name: string, what: string, make: (draft: string) => void): Brought {
  const home = join(cache, name);
  if (existsSync(home)) return { ok: true, home };
  try {
    mkdirSync(cache, { recursive: true });
    const draft = mkdtempSync(join(cache, "making-"));
    try {
      make(draft);
      // A run beside this one may have been first, and its folder does as well.
      if (!existsSync(home)) renameSync(draft, home);
    } finally {
      rmSync(draft, { recursive: true, force: true, maxRetries: 5 });
    }
    return { ok: true, home };
  } catch (error) {
    const [first = ""] = String(error instanceof Error ? error.message : error).split("\n");
    return { ok: false, why: `${what} cannot be had here: ${first}` };
  }
}

/** A virtual environment with packages as pip takes them. Its Python finds itself wherever it stands, its scripts do not. */
export function broughtPython(name: string, packages: readonly string[]): Brought {
  return broughtFolder(name, packages.join(", "), (draft) => {
    bringBy("python3", ["-m", "venv", draft]);
    bringBy(pythonIn(draft), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  });
}

export function pythonIn(home: string): string {
  return join(home, "bin", "python");
}

/** Throws where it fails. */
export function bringBy(program: string, words: readonly string[], cwd?: string): void {
  execFileSync(program, words, { cwd, timeout: bringMs, stdio: ["ignore", "pipe", "pipe"] });
}
