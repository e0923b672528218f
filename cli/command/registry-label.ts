/** `model tag`, `model note`, and the same of datasets: words to find them by, and what somebody thinks of them. */
import type { Command } from "commander";
import type { RegistryEntry } from "../../protocol/registry-entry.ts";
import { printAnswer } from "../shell/answer.ts";
import { entryArgument, entryForm } from "../shell/entry-argument.ts";
import { changeOf, tagging, tagsText, type TagWord } from "../shell/label-option.ts";
import { action, asking, examples, noteFlag } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

type Kind = RegistryEntry["of"];

export function registryTagCommand(terminal: Terminal, of: Kind): Command {
  const about = `give tags (+TAG) and take them away (-TAG); \`${of} ls --where tag=TAG\` finds them`;
  return tagging(asking("tag", about).argument(`<${of}>`, entryForm(of), entryArgument(of)))
    .addHelpText(
      "after",
      examples(`trialmesh ${of} tag reviews +production`, `trialmesh ${of} tag reviews@3 +audited -draft`),
    )
    .action(
      action(terminal, (entry: RegistryEntry, words: readonly TagWord[], options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("registry-tag", { ...entry, ...changeOf(words) }),
            ({ entry: name, tags }) => tagsText(name, tags),
          ),
        ),
      ),
    );
}

export function registryNoteCommand(terminal: Terminal, of: Kind): Command {
  return asking("note", "describe it, in place of the note there is")
    .alias("describe")
    .argument(`<${of}>`, entryForm(of), entryArgument(of))
    .argument("<text>", "the note; an empty one takes it away", noteFlag)
    .addHelpText("after", examples(`trialmesh ${of} note reviews@3 "without the reviews of 2019"`))
    .action(
      action(terminal, (entry: RegistryEntry, note: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("registry-note", { ...entry, note }),
            ({ entry: name, notes }) => `${name} has ${notes === "" ? "no note" : "the note"}`,
          ),
        ),
      ),
    );
}
