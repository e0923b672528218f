/** Options that many commands share, and how flags become values. A wrong flag is a usage error. */
import { Command, InvalidArgumentError } from "commander";
import * as z from "zod";
import { nameSchema } from "../../protocol/name.ts";
import { sweepIdSchema, trialIdSchema } from "../../protocol/id.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** A command that prints: it can do so as JSON. */
export function printing(name: string, about: string): Command {
  return new Command(name).description(about).option("--json", "print one JSON document");
}

/** A command that asks the mesh in somebody's name. */
export function asking(name: string, about: string): Command {
  return printing(name, about).option(
    "--as <name>",
    "ask as this requester or viewer instead of the owner",
    flag(nameSchema),
  );
}

/** What commander calls: runs the command and keeps its exit status. */
export function action<A extends unknown[]>(
  terminal: Terminal,
  run: (...args: A) => Promise<ExitCode>,
): (...args: A) => Promise<void> {
  return async (...args) => terminal.finish(await run(...args));
}

/** A commander argument parser out of a schema of text. */
export function flag<T>(schema: z.ZodType<T>): (text: string) => T {
  return (text) => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? "it does not parse");
  };
}

/** A number written out, held to a schema of numbers. */
export function numberFlag<T>(schema: z.ZodType<T>): (text: string) => T {
  const read = flag(schema);
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError("it is not a number");
    return read(value as never);
  };
}

export const sweepArgument = flag(sweepIdSchema);
export const trialArgument = flag(trialIdSchema);
export const nameArgument = flag(nameSchema);
export const listFlag = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
/** A whole number between these. Each bound says itself: a number beyond one is whole all the same. */
export function wholeFlag(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const low = least === 1 ? "it must be above 0" : `it must be at least ${least}`;
  return numberFlag(
    z.int("it is not a whole number").min(least, low).max(most, `it must be at most ${most}`),
  );
}

export const countFlag = wholeFlag(1);

const tokensMax = 1_000_000_000;
/** Tokens on the command line, milli-tokens inside. */
export const tokensFlag = numberFlag(
  z
    .number()
    .positive("it must be above 0")
    .max(tokensMax, `it must be at most ${tokensMax}`)
    .transform((tokens) => Math.round(tokens * 1000)),
);

const weightMax = 1000;
export const weightFlag = numberFlag(
  z.number().positive("it must be above 0").max(weightMax, `it must be at most ${weightMax}`),
);

const prioritySize = 100;
export const priorityFlag = wholeFlag(-prioritySize, prioritySize);

/** Examples under a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
