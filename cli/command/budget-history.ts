/** `trialmesh budget history`: one account as a bank statement, and how near to its limit it ever came. */
import type { Command } from "commander";
import { accept, refuse } from "../../protocol/refusal.ts";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { peakOf, peakText, statementText } from "../print/statement-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { statementLinesMax } from "../../protocol/command.ts";
import { wholeFlag } from "../shell/range.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const linesDefault = 200;
const linesFlag = wholeFlag(1, statementLinesMax);

export function budgetHistoryCommand(terminal: Terminal): Command {
  return asking("history", "print an account as a bank statement, with what it held after every line")
    .argument("<requester>", "name of the account", nameArgument)
    .option("--lines <n>", "how many of the newest lines", linesFlag, linesDefault)
    .addHelpText(
      "after",
      `\nKinds of lines: grant and refill add tokens; reserve and extend hold them for a running attempt;\npost spends what was used; release gives the rest back.\n${examples("trialmesh budget history team-a", "trialmesh budget history team-a --lines 1000 --json")}`,
    )
    .action(
      action(terminal, (requester: string, options: MeshOptions & { readonly lines: number }) =>
        withMesh(terminal, options, async ({ client }) => {
          const answer = await client.query("budget", { requester, lines: options.lines });
          if (!answer.ok) return printRefusal(terminal, options, answer.refusal);
          const [account] = answer.value.accounts;
          if (account === undefined)
            return printRefusal(
              terminal,
              options,
              refuse("unknown", `there is no account ${requester}`).refusal,
            );
          const history = { ...account, peak: peakOf(account.lines) };
          return printAnswer(
            terminal,
            options,
            accept(history),
            ({ lines }) => `${statementText(lines)}\n\n${peakText(lines)}`,
          );
        }),
      ),
    );
}
