/** `trialmesh trial logs`: what a trial wrote, the newest lines. */
import type { Command } from "commander";
import { action, asking, countFlag, trialArgument } from "../shell/option.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { logLinesShownMax } from "../../protocol/command.ts";
import { printAnswer } from "../shell/answer.ts";
import { printableLine } from "../../text/printable.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const linesDefault = 200;

/** One answer has so many lines and no more: where more are asked for, it is said what that leaves out. */
async function newestLines(terminal: Terminal, client: MeshClient, trial: string, limit: number) {
  const answer = await client.query("logs", { trial, limit: Math.min(limit, logLinesShownMax) });
  if (answer.ok && limit > logLinesShownMax && answer.value.lines.length === logLinesShownMax)
    terminal.note(`trialmesh: these are the newest ${logLinesShownMax} lines, as many as one answer has`);
  return answer;
}

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
            await newestLines(terminal, client, trial, options.limit),
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
