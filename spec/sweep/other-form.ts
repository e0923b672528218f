/**
 * Keys of one form of sweep file that stand in the other: what they are for, and what does it here. Not keys that no form knows.
 */
import { commandFileSchema, sweepFileSchema } from "./sweep-file-shape.ts";

/** Of `register` in a file with a command. */
export const registerNeedsOutput =
  "is for trialmesh's own models, and for programs that say where they leave theirs: add `output: FOLDER`, the folder that it writes; a program keeps its best by saving files there, or to its checkpoint folder (docs/programs.md)";

const inCommandFile: Readonly<Record<string, string>> = {
  datasets: "is for trialmesh's own models; a program reads its own data, which can travel with its files",
  task: "is for trialmesh's own models; a program needs no kind of task",
  models: "is for trialmesh's own models; what a program may be given stands in parameters",
};

const modelsOwn = "is for trialmesh's own models; leave it out, or the command";
const commandsOwn =
  "is for files with a command or a module; leave it out, or give one of these in the place of models";

function otherKeys(
  other: typeof commandFileSchema | typeof sweepFileSchema,
  own: typeof commandFileSchema | typeof sweepFileSchema,
): readonly string[] {
  return Object.keys(other.shape).filter((key) => !Object.hasOwn(own.shape, key));
}

/** Of files that train trialmesh's models, in a file that runs a command. */
export const ofModelFiles: Readonly<Record<string, string>> = Object.fromEntries(
  otherKeys(sweepFileSchema, commandFileSchema).map((key) => [key, inCommandFile[key] ?? modelsOwn]),
);

/** Of files that run a command, in a file that trains trialmesh's models. */
export const ofCommandFiles: Readonly<Record<string, string>> = Object.fromEntries(
  otherKeys(commandFileSchema, sweepFileSchema).map((key) => [key, commandsOwn]),
);
