/** `trialmesh upgrade`: machines that were added get this build, as they come free. */
import type { Command } from "commander";
import { upgradeMachines, type Upgraded } from "../../client/machine/upgrade-machine.ts";
import { exitCode } from "../../protocol/exit-code.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import { action, eachOf, examples, flag, nameArgument, printing } from "../shell/option.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import { durationText } from "../../text/duration.ts";

const drainDefaultMs = 30 * 60_000;

interface Options extends PrintOptions {
  readonly wait: number;
}

export function upgradeCommand(terminal: Terminal): Command {
  return printing("upgrade", "bring this build to the machines that were added, as they come free")
    .argument("[machines...]", "agents by name; all that were added by default", eachOf(nameArgument))
    .option("--wait <time>", "for trials there to come to a checkpoint", flag(durationText), drainDefaultMs)
    .addHelpText(
      "after",
      `\nCoordinators come first: the mesh here must be up with this build already. Machines that joined in another way are upgraded by hand.\n${examples("trialmesh upgrade", "trialmesh upgrade attic-pc --wait 2h")}`,
    )
    .action(
      action(terminal, async (names: readonly string[], options: Options) => {
        const done = await upgradeMachines(surroundingsOf(terminal), { names, drainMs: options.wait });
        const code = printAnswer(terminal, options, done, upgradedText);
        const failed = done.ok && done.value.some(({ outcome }) => outcome === "failed");
        return failed ? exitCode.failed : code;
      }),
    );
}

function upgradedText(done: readonly Upgraded[]): string {
  if (done.length === 0) return "no machine was added from here; `trialmesh add user@host` adds one";
  return done
    .map(({ agent, outcome, why }) => {
      if (outcome === "failed") return `${agent}: not upgraded: ${why}`;
      return outcome === "current" ? `${agent} has this build already` : `${agent} runs this build now`;
    })
    .join("\n");
}
