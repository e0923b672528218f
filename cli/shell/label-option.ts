/** Arguments of the commands that tag and note: what is one word there, what it means, and what is said of it. */
import { InvalidArgumentError, type Command } from "commander";
import { tagForm, tagSchema, tagsMax } from "../../protocol/label.ts";
import { flag } from "./option.ts";

export interface TagWord {
  readonly tag: string;
  /** It is taken away. */
  readonly off: boolean;
}

export const tagFlag = flag(tagSchema, tagForm);

/** `+good` gives a tag, `-good` takes it away. */
function tagWord(text: string, before: readonly TagWord[] = []): readonly TagWord[] {
  const sign = text.slice(0, 1);
  if (sign !== "+" && sign !== "-")
    throw new InvalidArgumentError("is +TAG to give a tag, -TAG to take it away");
  if (before.length >= 2 * tagsMax)
    throw new InvalidArgumentError(`is one tag more than ${2 * tagsMax} at once`);
  return [...before, { tag: tagFlag(text.slice(1)), off: sign === "-" }];
}

/** The tags that a command gives and takes away, its last argument. They begin as flags do. */
export function tagging(command: Command): Command {
  return command
    .argument("<tags...>", "+good gives the tag good, -good takes it away", tagWord)
    .allowUnknownOption();
}

export function changeOf(words: readonly TagWord[]) {
  const tagsThat = (off: boolean) => words.filter((word) => word.off === off).map(({ tag }) => tag);
  return { add: tagsThat(false), remove: tagsThat(true) };
}

export function tagsText(of: string, tags: readonly string[]): string {
  return tags.length === 0 ? `${of} has no tag` : `${of} is tagged ${tags.join(", ")}`;
}

export interface RemovedOptions {
  readonly all?: boolean;
}

export function withRemovedFlag(command: Command): Command {
  return command.option("--all", "also what was removed");
}
