/** A Python that has Optuna: a virtual environment beside the project, made once. Nothing is installed on the system. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../mesh/outside-command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { benchFolder } from "../shared/bench-folder.ts";

/** Exact, so that a figure can be had again. */
export const optunaVersion = "5.0.0";
/** What its gp sampler needs beside it. */
const packages = [`optuna==${optunaVersion}`, "scipy", "torch"];
const venvTimeoutMs = 60_000;
const installTimeoutMs = 900_000;

/** The path of the interpreter. */
export async function findOptuna(say: (line: string) => void): Promise<Outcome<string>> {
  const place = join(benchFolder, "optuna");
  const python = join(place, "bin", "python");
  const mark = join(place, `installed-${optunaVersion}`);
  if (existsSync(mark)) return accept(python);
  say("installing Optuna into .cache/bench (once)");
  mkdirSync(benchFolder, { recursive: true });
  const made = await runCommand("python3", ["-m", "venv", place], { timeoutMs: venvTimeoutMs });
  if (!made.ok) return refuse("unavailable", `no virtual environment of Python: ${made.refusal.message}`);
  const installed = await runCommand(python, ["-m", "pip", "install", "-q", ...packages], {
    timeoutMs: installTimeoutMs,
  });
  if (!installed.ok) return refuse("unavailable", `pip cannot install Optuna: ${installed.refusal.message}`);
  writeFileSync(mark, "");
  return accept(python);
}
