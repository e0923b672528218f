/**
 * The version before this one, built from the project's own history beside its packages. Where there is no history, or not far
 * enough, nothing is built and the reason says so: its code is not kept in the project a second time.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../training/version/code-version.ts";

/** The last commit that wrote format 1 of the journal and version 3 of the projection. */
const commit = "4b07d2b";

export type PreviousVersion =
  | { readonly kind: "built"; readonly main: string }
  | { readonly kind: "missing"; readonly why: string };

export function previousVersion(): PreviousVersion {
  const folder = join(projectFolder, ".cache", `version-${commit}`);
  const main = join(folder, "dist", "cli", "main.js");
  if (existsSync(main)) return { kind: "built", main };
  try {
    execFileSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: projectFolder, stdio: "ignore" });
  } catch {
    return {
      kind: "missing",
      why: `the history of this folder does not reach commit ${commit}; clone the whole of it to run the two versions together`,
    };
  }
  build(folder);
  return { kind: "built", main };
}

function build(folder: string): void {
  const making = `${folder}.${process.pid}`;
  rmSync(making, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(making, { recursive: true });
  const archive = execFileSync("git", ["archive", commit], { cwd: projectFolder, maxBuffer: 2 ** 30 });
  execFileSync("tar", ["-xf", "-", "-C", making], { input: archive });
  const packages = join(projectFolder, "node_modules");
  symlinkSync(packages, join(making, "node_modules"));
  const compiler = join(packages, "typescript", "bin", "tsc");
  execFileSync(process.execPath, [compiler, "-p", "tsconfig.json"], { cwd: making, stdio: "pipe" });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  renameSync(making, folder);
}
