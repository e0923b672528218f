/** `trialmesh model rollback`: points an alias back to an earlier version, once that has proved that it can serve. */
import type { Command } from "commander";
import { moveShown } from "../shell/move-shown.ts";
import { action, asking, countFlag, examples, nameArgument, noteFlag } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatTime } from "../../text/figure.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly to?: number;
  readonly why: string;
}

export function modelRollbackCommand(terminal: Terminal): Command {
  return asking("rollback", "point an alias back to the version it had before, after loading that version")
    .argument("<model>", "name of the model", nameArgument)
    .argument("<alias>", "the alias to move back, such as champion", nameArgument)
    .option("--to <version>", "the version to go back to, instead of the one before", countFlag)
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .addHelpText(
      "after",
      examples(
        "trialmesh model rollback language-id champion",
        "trialmesh model rollback language-id champion --to 1 --why 'slow on long texts'",
      ),
    )
    .action(
      action(terminal, (model: string, alias: string, options: Options) =>
        withMesh(terminal, options, async (connected) => {
          const { client } = connected;
          const move = { of: "rollback", model, alias, to: options.to ?? null } as const;
          const answer = await moveShown(terminal, connected, move, options.why);
          return printAnswer(
            terminal,
            options,
            answer,
            (value) =>
              `${value.model}@${value.alias} went back from version ${value.from ?? "none"} to ${value.version}, by ${client.who} at ${formatTime(Date.now(), Date.now())}`,
          );
        }),
      ),
    );
}
