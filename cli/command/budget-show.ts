/** `trialmesh budget show`: each account with its weight, refill, limit and place in the fair order, and its newest lines. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import type { BudgetView } from "../../protocol/view.ts";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { accountText } from "../print/account-text.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { statementText } from "../print/statement-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { statementLinesMax } from "../../protocol/command.ts";
import { wholeFlag } from "../shell/range.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const linesDefault = 20;

export function budgetShowCommand(terminal: Terminal): Command {
  return asking("show", "show accounts: tokens, weight, refill, place in the fair order, newest lines")
    .argument("[requester]", "one account instead of all", nameArgument)
    .option("--lines <n>", "how many of the newest lines", wholeFlag(1, statementLinesMax), linesDefault)
    .addHelpText("after", examples("trialmesh budget show", "trialmesh budget show team-a --lines 12"))
    .action(
      action(terminal, (requester: string | undefined, options: MeshOptions & { readonly lines: number }) =>
        withMesh(terminal, options, async ({ client }) => {
          const answer = await client.query("budget", { requester: requester ?? null, lines: options.lines });
          if (!answer.ok) return printRefusal(terminal, options, answer.refusal);
          // A place in an order is known only among all.
          const all = requester === undefined ? answer : await client.query("budget", { lines: 0 });
          const order = all.ok ? all.value.accounts : answer.value.accounts;
          return printAnswer(terminal, options, accept(answer.value), (value) => budgetText(value, order));
        }),
      ),
    );
}

function budgetText({ accounts }: BudgetView, all: BudgetView["accounts"]): string {
  if (accounts.length === 0)
    return "no account is open; open one with `trialmesh account open NAME --grant TOKENS`";
  return accounts
    .map((account) => `${accountText(account, all)}\n\n${statementText(account.lines)}`)
    .join("\n\n\n");
}
