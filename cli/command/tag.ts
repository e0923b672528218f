/** `trialmesh sweep tag` and `trialmesh trial tag`: words to find them by. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument, trialArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { changeOf, tagging, tagsText, type TagWord } from "../shell/label-option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const about = "give tags (+TAG) and take them away (-TAG)";

export function sweepTagCommand(terminal: Terminal): Command {
  return tagging(
    asking("tag", `${about}; \`sweep ls --tag TAG\` finds them`).argument(
      "<sweep>",
      "id of the sweep, such as s7",
      sweepArgument,
    ),
  )
    .addHelpText("after", examples("trialmesh sweep tag s7 +good +baseline", "trialmesh sweep tag s7 -good"))
    .action(
      action(terminal, (sweep: string, words: readonly TagWord[], options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-tag", { sweep, ...changeOf(words) }),
            ({ tags }) => tagsText(sweep, tags),
          ),
        ),
      ),
    );
}

export function trialTagCommand(terminal: Terminal): Command {
  return tagging(asking("tag", about).argument("<trial>", "id of the trial, such as s7-12", trialArgument))
    .addHelpText("after", examples("trialmesh trial tag s7-12 +good"))
    .action(
      action(terminal, (trial: string, words: readonly TagWord[], options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("trial-tag", { trial, ...changeOf(words) }),
            ({ tags }) => tagsText(trial, tags),
          ),
        ),
      ),
    );
}
