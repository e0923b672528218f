/** Pythons of the tests' own: virtual environments, bare, with a package written by hand, or with a real one that pip brings in. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { broughtPython, pythonIn } from "./brought-folder.ts";

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

export function venvWith(...distributions: readonly string[]): PythonHome | { readonly skip: string } {
  const brought = broughtPython(`venv-${distributions.join("-")}`, distributions);
  return brought.ok ? homeAt(brought.home) : { skip: brought.why };
}

function homeAt(folder: string): PythonHome {
  const python = pythonIn(folder);
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
