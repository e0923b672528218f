/** `trialmesh deploy logs`: what the replicas of a deployment wrote, and with `--follow` what they write. */
import type { Command } from "commander";
import type { MeshClient } from "../../protocol/client.ts";
import { logLinesShownMax } from "../../protocol/command.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { LogLineView } from "../../protocol/view.ts";
import { jsonLine, printableLine } from "../../text/printable.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { action, asking, nameArgument } from "../shell/option.ts";
import { wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const linesDefault = 50;

interface Options extends MeshOptions {
  readonly limit: number;
  readonly follow?: boolean;
}

interface ReplicaLine extends LogLineView {
  readonly trial: string;
}

export function deployLogsCommand(terminal: Terminal): Command {
  return asking("logs", "print what the replicas of a deployment wrote")
    .argument("<name>", "what the deployment is called", nameArgument)
    .option(
      "--limit <n>",
      "how many of the newest lines of each",
      wholeFlag(1, logLinesShownMax),
      linesDefault,
    )
    .option("-f, --follow", "go on with the lines that come; with --json one document a line")
    .action(
      action(terminal, (deployment: string, options: Options) =>
        withMesh(terminal, options, ({ client }) =>
          options.follow === true
            ? follow(terminal, client, deployment, options)
            : show(terminal, client, deployment, options),
        ),
      ),
    );
}

async function show(
  terminal: Terminal,
  client: MeshClient,
  deployment: string,
  options: Options,
): Promise<ExitCode> {
  const lines = await newestLines(client, deployment, options.limit);
  return printAnswer(terminal, options, lines, (found) =>
    found.lines.length === 0
      ? `no replica of ${deployment} that is there now has written anything`
      : found.lines.map(lineText).join("\n"),
  );
}

/** Replica by replica, each oldest first. */
async function newestLines(
  client: MeshClient,
  deployment: string,
  limit: number,
): Promise<Outcome<{ readonly lines: readonly ReplicaLine[] }>> {
  const view = await client.query("deployment", { deployment });
  if (!view.ok) return view;
  const lines: ReplicaLine[] = [];
  for (const { trial } of view.value.replicas) {
    const answer = await client.query("logs", { trial, limit });
    if (!answer.ok) return answer;
    for (const line of answer.value.lines) lines.push({ trial, ...line });
  }
  return accept({ lines });
}

async function follow(
  terminal: Terminal,
  client: MeshClient,
  deployment: string,
  { limit, ...options }: Options,
): Promise<ExitCode> {
  const { followReplicas } = await import("../../client/deploy/follow-replicas.ts");
  const print = (trial: string, line: LogLineView) =>
    terminal.out(options.json === true ? jsonLine({ trial, ...line }) : lineText({ trial, ...line }));
  const followed = await followReplicas(client, deployment, limit, print, (line) => terminal.note(line));
  if (!followed.ok) return printRefusal(terminal, options, followed.refusal);
  terminal.note(`${deployment} has ended`);
  return exitCode.ok;
}

function lineText({ line, stream, trial }: ReplicaLine): string {
  return `${trial} ${stream} | ${printableLine(line)}`;
}
