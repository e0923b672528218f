/** `trialmesh trial logs`: what a trial wrote, the newest lines, and with `--follow` those that come. */
import type { Command } from "commander";
import { action, asking, countFlag, examples, trialArgument } from "../shell/option.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { logLinesShownMax } from "../../protocol/command.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import type { LogLineView } from "../../protocol/view.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { jsonLine, printableLine } from "../../text/printable.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const linesDefault = 200;

interface Options extends MeshOptions {
  readonly limit: number;
  readonly follow?: boolean;
  readonly times?: boolean;
}

export function trialLogsCommand(terminal: Terminal): Command {
  return asking("logs", "print what a trial wrote")
    .argument("<trial>", "id of the trial, such as s7-12", trialArgument)
    .option("--limit <n>", "how many of the newest lines", countFlag, linesDefault)
    .option(
      "-f, --follow",
      "go on with the lines that come, to the trial's end; with --json one document a line",
    )
    .option("--times", "when the mesh had each line, in UTC")
    .addHelpText("after", examples("trialmesh trial logs s7-12 --times", "trialmesh trial logs s7-12 -f"))
    .action(
      action(terminal, (trial: string, options: Options) =>
        withMesh(terminal, options, ({ client }) =>
          options.follow === true
            ? follow(terminal, client, trial, options)
            : show(terminal, client, trial, options),
        ),
      ),
    );
}

async function show(
  terminal: Terminal,
  client: MeshClient,
  trial: string,
  options: Options,
): Promise<ExitCode> {
  const answer = await newestLines(terminal, client, trial, options.limit);
  return printAnswer(terminal, options, answer, ({ gone, lines }) =>
    lines.length === 0
      ? gone === true
        ? `what ${trial} wrote is no longer kept; \`trialmesh gc policy\` says for how long logs are`
        : `${trial} has written nothing`
      : lines.map((line) => lineText(line, options.times === true)).join("\n"),
  );
}

/** One answer has so many lines and no more: where more are asked for, it is said what that leaves out. */
async function newestLines(terminal: Terminal, client: MeshClient, trial: string, limit: number) {
  const answer = await client.query("logs", { trial, limit: Math.min(limit, logLinesShownMax) });
  if (answer.ok && limit > logLinesShownMax && answer.value.lines.length === logLinesShownMax)
    terminal.note(`trialmesh: these are the newest ${logLinesShownMax} lines, as many as one answer has`);
  return answer;
}

async function follow(
  terminal: Terminal,
  client: MeshClient,
  trial: string,
  options: Options,
): Promise<ExitCode> {
  const { followLogs } = await import("../../client/follow/follow-logs.ts");
  const { json = false, limit, times = false } = options;
  const print = (line: LogLineView) => terminal.out(json ? jsonLine(line) : lineText(line, times));
  const followed = await followLogs(client, trial, limit, print, (line) => terminal.note(line));
  if (!followed.ok) return printRefusal(terminal, options, followed.refusal);
  terminal.note(`${trial} has ended: ${followed.value.state}`);
  return exitCode.ok;
}

function lineText({ at, fence, line, stream }: LogLineView, times: boolean): string {
  const when = times ? `${at === undefined ? "-" : new Date(at).toISOString()} ` : "";
  return `${when}${fence} ${stream} | ${printableLine(line)}`;
}
