/** `trialmesh sweep note` and `trialmesh trial note`: what somebody thinks of them, kept with them. */
import type { Command } from "commander";
import { action, asking, examples, noteFlag, sweepArgument, trialArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const about = "write a note, in place of the one there is";
const textAbout = "the note; an empty one takes it away";

export function sweepNoteCommand(terminal: Terminal): Command {
  return asking("note", about)
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .argument("<text>", textAbout, noteFlag)
    .addHelpText("after", examples('trialmesh sweep note s7 "the learning rate was too high throughout"'))
    .action(
      action(terminal, (sweep: string, note: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.command("sweep-note", { sweep, note }), () =>
            notedText(sweep, note),
          ),
        ),
      ),
    );
}

export function trialNoteCommand(terminal: Terminal): Command {
  return asking("note", about)
    .argument("<trial>", "id of the trial, such as s7-12", trialArgument)
    .argument("<text>", textAbout, noteFlag)
    .addHelpText("after", examples('trialmesh trial note s7-12 "the one to keep"'))
    .action(
      action(terminal, (trial: string, note: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.command("trial-note", { trial, note }), () =>
            notedText(trial, note),
          ),
        ),
      ),
    );
}

function notedText(of: string, note: string): string {
  return note === "" ? `${of} has no note` : `${of} has the note`;
}
