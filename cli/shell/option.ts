/** Options that many commands share, and how flags become values. A wrong flag is a usage error. */
import { Command, InvalidArgumentError } from "commander";
import type * as z from "zod";
import { nameCharactersMax, sentenceCharactersMax } from "../../protocol/bound.ts";
import { noteCharactersMax, priorityMax, weightMax } from "../../protocol/command.ts";
import { issueSentence } from "../../protocol/issue-sentence.ts";
import { nameForm, nameSchema } from "../../protocol/name.ts";
import { sweepIdSchema, trialIdSchema } from "../../protocol/id.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { mapped, rangeFlag, wholeFlag } from "./range.ts";
import type { Terminal } from "./terminal.ts";

/** Of a path: what Linux takes. */
const pathCharactersMax = 4096;

/** A command that prints: it can do so as JSON. */
export function printing(name: string, about: string): Command {
  return new Command(name).description(about).option("--json", "print one JSON document");
}

/** A command that asks the mesh in somebody's name. */
export function asking(name: string, about: string): Command {
  return printing(name, about).option(
    "--as <name>",
    "ask as this requester or viewer instead of the owner",
    nameArgument,
  );
}

/** What commander calls: runs the command and keeps its exit status. */
export function action<A extends unknown[]>(
  terminal: Terminal,
  run: (...args: A) => Promise<ExitCode>,
): (...args: A) => Promise<void> {
  return async (...args) => terminal.finish(await run(...args));
}

/** A commander argument parser out of a schema of text, and what is right in words: "60 minutes or more, such as 90m". */
export function flag<T>(schema: z.ZodType<T>, right?: string): (text: string) => T {
  return (text) => {
    const parsed = schema.safeParse(text, { error: issueSentence });
    if (parsed.success) return parsed.data;
    const why = right === undefined ? parsed.error.issues[0]?.message : `is ${right}`;
    throw new InvalidArgumentError(why ?? "it does not parse");
  };
}

/** Of an argument or option that may be repeated. */
export function eachOf<T>(parse: (text: string) => T): (text: string, before?: readonly T[]) => T[] {
  return (text, before = []) => [...before, parse(text)];
}

/** Text of one line that names or says something. No terminal sends a NUL; a program may. */
export function textFlag(what: string, charactersMax: number, mayBeEmpty = false): (text: string) => string {
  return (text) => {
    const isBlank = text.trim() === "" && !(mayBeEmpty && text === "");
    if (isBlank || text.includes("\0") || text.length > charactersMax)
      throw new InvalidArgumentError(`is ${what}, ${mayBeEmpty ? 0 : 1} to ${charactersMax} characters`);
    return text;
  };
}

/** A digest or its beginning, or a version of something. */
export const artifactArgument = textFlag("a digest or a version such as reviews@2", nameCharactersMax);
export const sweepArgument = flag(sweepIdSchema, 'an id such as "s7"');
export const trialArgument = flag(trialIdSchema, 'an id such as "s7-12"');
export const nameArgument = flag(nameSchema, nameForm);

/** Names with commas, at least one. */
export function listFlag(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  const names = parts.filter((part) => part !== "");
  if (names.length === 0 || text.includes("\0") || text.length > pathCharactersMax)
    throw new InvalidArgumentError("is one name or several with commas");
  return names;
}

export const countFlag = wholeFlag(1);

const tokensMax = 1_000_000_000;
/** Tokens on the command line, milli-tokens inside: a thousandth of a token is the least there is. */
export const tokensRange = { least: 1 / milliTokensPerToken, most: tokensMax };
export const tokensFlag = mapped(rangeFlag(tokensRange), (tokens) =>
  Math.round(tokens * milliTokensPerToken),
);

export const weightFlag = rangeFlag({ least: 0, most: weightMax, above: true });

export const priorityFlag = wholeFlag(-priorityMax, priorityMax);

/** GiB of memory or disk; what no machine has is a slip. */
export const gibRange = { least: 0, most: 1_048_576 };

/** The path of a file or a folder. */
export const fileArgument = textFlag("the path of a file", pathCharactersMax);
/** What `trialmesh invite` printed. */
export const codeFlag = textFlag("what `trialmesh invite` printed", sentenceCharactersMax);
/** Of whoever joins a mesh on a server of somebody's own. */
export const caWords =
  "certificate of who signs for the mesh's server, where it is somebody's own at tls://…";
export const caFlag = textFlag("a file", sentenceCharactersMax);
/** A sentence that is kept in the record. */
export const noteFlag = textFlag("a text", noteCharactersMax, true);

/** Examples under a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
