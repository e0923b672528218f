/** `trialmesh sweep pause`: no further trial starts until it is resumed. */
import type { Command } from "commander";
import { action, asking, examples, noteFlag, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { plural } from "../../protocol/plural.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly now?: boolean;
  readonly why: string;
}

export function sweepPauseCommand(terminal: Terminal): Command {
  return asking(
    "pause",
    "pause a sweep: no trial starts until it is resumed; what runs goes on to its next rung",
  )
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--now", "let what runs leave at its next checkpoint too; it goes on from there")
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .addHelpText("after", examples("trialmesh sweep pause s7", "trialmesh sweep pause s7 --now"))
    .addHelpText(
      "after",
      "\nA trial that keeps no checkpoint and is asked to leave begins anew. `trialmesh sweep resume SWEEP` ends the pause.\n",
    )
    .action(
      action(terminal, (sweep: string, { now = false, why, ...options }: Options) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-pause", { sweep, now, why }),
            ({ running }) => `${sweep} is paused: ${whatRuns(running, now)}`,
          ),
        ),
      ),
    );
}

function whatRuns(running: number, now: boolean): string {
  if (running === 0) return "nothing of it runs";
  const one = running === 1;
  const how = now
    ? `${one ? "leaves at its" : "leave at their"} next checkpoint`
    : `${one ? "goes on to its" : "go on to their"} next rung`;
  return `${plural(running, "trial")} ${how}`;
}
