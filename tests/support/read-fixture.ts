/** Reads a sweep file of any kind as the command line does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { models } from "../../training/catalog/model-catalog.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import type { CommandSweep } from "../../spec/sweep/command-sweep.ts";
import type { SweepOverrides } from "../../spec/sweep/override.ts";
import { formatProblems, type Problem } from "../../spec/yaml/problem.ts";
import { readAnyFile, type AnyFileResult } from "../../spec/file/read-any-file.ts";

export function fixtureText(name: string): string {
  return readFileSync(join(projectFolder, "tests", "fixture", name), "utf8");
}

export function readText(text: string, overrides: SweepOverrides = {}): AnyFileResult {
  return readAnyFile({ file: "f.yaml", text, environment: {}, models, codeVersion: "test 1", overrides });
}

/** The command sweep of a text, with its notes as lines. */
export function commandOf(
  text: string,
  overrides: SweepOverrides = {},
): { readonly sweep: CommandSweep; readonly notes: readonly string[] } {
  const read = readText(text, overrides);
  if (!read.ok) throw new Error(linesOf(read.problems).join("\n"));
  if (read.file.kind !== "command") throw new Error("it runs no command");
  return { sweep: read.file.sweep, notes: read.file.notes.length === 0 ? [] : linesOf(read.file.notes) };
}

/** What a bad text is told, one line each, without the file's name and without what kind of file it was taken for. */
export function observationOf(text: string): readonly string[] {
  const read = readText(text);
  if (read.ok) throw new Error("the file should have been refused");
  return linesOf(read.problems.filter(({ message }) => !message.startsWith("read as ")));
}

function linesOf(problems: readonly Problem[]): string[] {
  return formatProblems("f.yaml", problems)
    .split("\n")
    .map((line) => line.slice("f.yaml:".length));
}
