/** Pythons of the tests' own: virtual environments, bare, with a package written by hand, or with a real one that pip brings in. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const cache = join(tmpdir(), "trialmesh-python-peers");
const bringMs = 300_000;

export interface PythonHome {
  readonly python: string;
  readonly sitePackages: string;
}

export function bareVenv(folder: string): PythonHome {
  run("python3", ["-m", "venv", "--without-pip", folder]);
  return homeAt(folder);
}

/** As pip would leave a distribution with one module of the same name, `-` being `_` there. */
export function putPackage({ sitePackages }: PythonHome, name: string, version: string, source = ""): void {
  const info = join(sitePackages, `${name.replaceAll("-", "_")}-${version}.dist-info`);
  mkdirSync(info, { recursive: true });
  writeFileSync(join(info, "METADATA"), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
  writeFileSync(join(sitePackages, `${name.replaceAll("-", "_")}.py`), source);
}

/** Kept for the next run; why not, where pip cannot bring it in. */
export function venvWith(...distributions: readonly string[]): PythonHome | { readonly skip: string } {
  const home = join(cache, `venv-${distributions.join("-")}`);
  if (existsSync(home)) return homeAt(home);
  try {
    mkdirSync(cache, { recursive: true });
    // Its own scripts name the draft's place; its Python finds itself wherever it stands.
    const draft = mkdtempSync(join(cache, "draft-"));
    try {
      run("python3", ["-m", "venv", draft]);
      run(join(draft, "bin", "python"), ["-m", "pip", "install", "--quiet", ...distributions]);
      renameSync(draft, home);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
    return homeAt(home);
  } catch (error) {
    return {
      skip: `pip cannot bring in ${distributions.join(" and ")}: ${error instanceof Error ? error.message : ""}`,
    };
  }
}

function homeAt(folder: string): PythonHome {
  const python = join(folder, "bin", "python");
  const script = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
  return { python, sitePackages: run(python, ["-c", script]).trim() };
}

function run(program: string, words: readonly string[]): string {
  return execFileSync(program, words, {
    encoding: "utf8",
    timeout: bringMs,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
