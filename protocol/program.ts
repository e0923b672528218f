/**
 * A program somebody brings to the mesh, as it travels: what is in its bundle, how it is called, and what of the things it
 * says counts. How a bundle is packed and a program run is the agent's; how people write it is the command line's.
 */
import * as z from "zod";
import {
  shortText,
  sentenceText,
  longText,
  listOf,
  recordOf,
  jsonValue,
  manyEntriesMax,
  nestingMax,
} from "./bound.ts";
import { digestSchema } from "./id.ts";
import { sealedSecretsSchema } from "./secret.ts";
import { isInsidePath } from "./inside-path.ts";

const wordsMax = 1_000;
const environmentMax = 500;

/** Which of the values a program reports counts as its result. */
export const keepNames = ["last", "min", "max"] as const;

const reportedSchema = z.strictObject({ metric: shortText.min(1), keep: z.enum(keepNames) });
export type ReportedObjective = z.infer<typeof reportedSchema>;

const common = {
  /** The program's files, one artifact. */
  bundle: digestSchema,
  /** What it must report; the first one's reports are its resource. */
  objectives: listOf(reportedSchema, 4).min(1),
  /** Reports after which it is as long as it gets: from there it runs to its own end. Null: it has a length of its own. */
  fullLength: z.int().positive().nullable(),
};

export const programSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("command"),
    ...common,
    /** Words with macros in them, such as ${args}. */
    command: listOf(longText, wordsMax).min(1),
    /** What ${program} stands for. */
    program: sentenceText.nullable(),
    environment: recordOf(shortText.min(1), longText, environmentMax),
    /** The folder, within the program's own, that is its checkpoint folder; left out where that is one beside it. */
    output: sentenceText.min(1).refine(isInsidePath, "is a path within the program's folder").optional(),
    /** Secrets that become variables of it, sealed to the agents that may run it. */
    secrets: sealedSecretsSchema.optional(),
    /** Words of a command that answers with what it left in `output`, once that is a version; left out where there is none. */
    serve: listOf(longText, wordsMax).min(1).optional(),
    /** Prefixes of parameters that are passed as one argument. */
    nested: listOf(shortText.min(1)),
    /** Where a parameter lies in those, if its name's prefixes would say something else. */
    paths: recordOf(shortText, listOf(shortText, nestingMax)).optional(),
    /** The JSON that a value in the space stands for, by parameter and by the value's own JSON. */
    spelling: recordOf(shortText, recordOf(longText, longText, manyEntriesMax)).optional(),
    /** What a text in the space stands for, by parameter: in sweeps of earlier versions. */
    literals: recordOf(shortText, recordOf(longText, jsonValue())),
    /** Regular expressions with a name and a value group; none means the usual name=value. */
    metricFormat: listOf(sentenceText.min(1)),
  }),
  z.strictObject({
    kind: z.literal("module"),
    ...common,
    /** Path in the bundle of the file that exports `train`. */
    entry: sentenceText.min(1),
  }),
]);
export type Program = z.infer<typeof programSchema>;
export type CommandProgram = Extract<Program, { kind: "command" }>;
export type ModuleProgram = Extract<Program, { kind: "module" }>;

/** Tasks whose trials are programs of the requester: an owner must allow them. */
export const programTasks = ["command", "module"] as const;

export function isProgramTask(task: string): boolean {
  return programTasks.some((name) => name === task);
}

/** Whose programs an owner lets run: nobody's, those of the mesh's owner, or any requester's. */
export const programsAllowed = ["none", "own", "any"] as const;
export type ProgramsAllowed = (typeof programsAllowed)[number];

/** The name of the person who made the mesh, as an account and as a user. */
export const meshOwner = "owner";

export function allowsProgram(allowed: ProgramsAllowed, requester: string): boolean {
  return allowed === "any" || (allowed === "own" && requester === meshOwner);
}

export function programsText(allowed: ProgramsAllowed): string {
  switch (allowed) {
    case "none":
      return "its owner runs no programs from others";
    case "own":
      return "its owner runs programs of the mesh's owner only";
    case "any":
      return "its owner runs anyone's programs";
  }
}
