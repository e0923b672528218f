/** `trialmesh budget grant`: tokens for a requester. */
import type { Command } from "commander";
import { formatTokens } from "../../protocol/token.ts";
import { action, asking, examples, nameArgument, noteFlag, tokensFlag } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function budgetGrantCommand(terminal: Terminal): Command {
  return asking("grant", "grant a requester tokens; one token is one second of the reference machine's work")
    .argument("<requester>", "name of the account", nameArgument)
    .argument("<tokens>", "how many", tokensFlag)
    .option("--note <text>", "what they are for, kept on the statement", noteFlag, "")
    .addHelpText("after", examples("trialmesh budget grant team-a 500 --note thesis"))
    .action(
      action(
        terminal,
        (requester: string, amount: number, options: MeshOptions & { readonly note: string }) =>
          withMesh(terminal, options, async ({ client }) => {
            const answer = await client.command("budget-grant", { requester, amount, note: options.note });
            return printAnswer(
              terminal,
              options,
              answer,
              (value) => `${value.requester} has been granted ${formatTokens(value.granted)} tokens in all`,
            );
          }),
      ),
    );
}
