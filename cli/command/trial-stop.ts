/** `trialmesh trial stop`: ends single trials of a sweep that goes on without them. */
import type { Command } from "commander";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandValue } from "../../protocol/command.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { jsonText } from "../../text/printable.ts";
import { action, asking, eachOf, examples, noteFlag, trialArgument } from "../shell/option.ts";
import { sayRefusal } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly why: string;
}

export function trialStopCommand(terminal: Terminal): Command {
  return asking("stop", "stop trials: each ends with what it has measured so far, and its sweep goes on")
    .argument("<trials...>", "ids of trials, such as s7-12", eachOf(trialArgument))
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .addHelpText(
      "after",
      examples("trialmesh trial stop s7-12", 'trialmesh trial stop s7-3 s7-4 --why "diverged"'),
    )
    .action(
      action(terminal, (trials: readonly string[], options: Options) =>
        withMesh(terminal, options, ({ client }) =>
          stopTrials(terminal, client, [...new Set(trials)], options),
        ),
      ),
    );
}

/** One after the other: what is refused of one says nothing of the next. As JSON, one document of all. */
async function stopTrials(
  terminal: Terminal,
  client: MeshClient,
  trials: readonly string[],
  { json = false, why }: Options,
): Promise<ExitCode> {
  const stopped: CommandValue<"trial-stop">[] = [];
  const refused: { readonly trial: string; readonly refusal: Refusal }[] = [];
  for (const trial of trials) {
    const answer = await client.command("trial-stop", { trial, why });
    if (!answer.ok) {
      refused.push({ trial, refusal: answer.refusal });
      terminal.note(sayRefusal(answer.refusal));
      continue;
    }
    stopped.push(answer.value);
    if (!json) terminal.out(stoppedText(answer.value));
  }
  if (json) terminal.out(jsonText({ stopped, refused }));
  return refused.length === 0 ? exitCode.ok : exitCode.failed;
}

function stoppedText({ running, trial }: CommandValue<"trial-stop">): string {
  return running
    ? `${trial} ends as soon as its agent hears of it; what it has measured is kept`
    : `${trial} is stopped; what it has measured is kept`;
}
