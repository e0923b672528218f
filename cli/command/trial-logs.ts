/** `trialmesh trial logs`: what a trial wrote, the newest lines. */
import type { Command } from "commander";
import { action, asking, countFlag, trialArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { printableLine } from "../../text/printable.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const linesDefault = 200;

export function trialLogsCommand(terminal: Terminal): Command {
  return asking("logs", "print what a trial wrote")
    .argument("<trial>", "id of the trial, such as s7-12", trialArgument)
    .option("--limit <n>", "how many of the newest lines", countFlag, linesDefault)
    .action(
      action(terminal, (trial: string, options: MeshOptions & { readonly limit: number }) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.query("logs", { trial, limit: options.limit }),
            ({ lines }) =>
              lines.length === 0
                ? `${trial} has written nothing`
                : lines
                    .map(({ fence, stream, line }) => `${fence} ${stream} | ${printableLine(line)}`)
                    .join("\n"),
          ),
        ),
      ),
    );
}
