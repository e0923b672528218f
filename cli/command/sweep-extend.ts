/** `trialmesh sweep extend`: more trials for a sweep that runs or has ended. */
import type { Command } from "commander";
import type { CommandValue } from "../../protocol/command.ts";
import { plural } from "../../protocol/plural.ts";
import { trialsMax } from "../../protocol/sweep.ts";
import { formatTokens } from "../../protocol/token.ts";
import { action, asking, examples, sweepArgument, tokensFlag } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly trials?: number;
  readonly tokens?: number;
}

export function sweepExtendCommand(terminal: Terminal): Command {
  return asking(
    "extend",
    "let a sweep try more, also one that has ended: its search goes on from all it has found",
  )
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--trials <n>", "so many trials more", wholeFlag(1, trialsMax))
    .option("--tokens <n>", "raise what it may spend, its cap, by so many tokens", tokensFlag)
    .addHelpText(
      "after",
      examples("trialmesh sweep extend s7 --trials 20", "trialmesh sweep extend s7 --trials 20 --tokens 50"),
    )
    .action(
      action(terminal, (sweep: string, options: Options, command: Command) => {
        const { tokens, trials } = options;
        if (trials === undefined && tokens === undefined)
          command.error("error: there is nothing to extend it by; give --trials or --tokens");
        const body = { sweep, trials: trials ?? 0, tokens: tokens ?? 0 };
        return withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.command("sweep-extend", body), (value) =>
            extendedText(value, trials ?? 0),
          ),
        );
      }),
    );
}

function extendedText(
  { cap, proposed, reopened, sweep, total }: CommandValue<"sweep-extend">,
  wanted: number,
): string {
  const left = total - proposed;
  const trials = `${plural(left, "trial")} to come, ${total} in all`;
  const all = reopened && left < wanted ? `; its space has no more than these` : "";
  const money = cap === null ? "" : `; it may spend ${formatTokens(cap)} tokens`;
  return `${sweep} ${reopened ? "had ended and " : ""}goes on: ${trials}${all}${money}`;
}
