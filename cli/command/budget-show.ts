/** `trialmesh budget show`: each account as a statement, with what it held after every line. */
import type { Command } from "commander";
import { formatTokens } from "../../protocol/token.ts";
import type { BudgetView } from "../../protocol/view.ts";
import { action, asking, countFlag, examples, nameArgument } from "../option.ts";
import { printAnswer } from "../print/answer.ts";
import { formatTime, plural } from "../print/figure.ts";
import { table } from "../print/table.ts";
import type { Terminal } from "../terminal.ts";
import { withMesh, type MeshOptions } from "../with-mesh.ts";

const linesDefault = 50;

export function budgetShowCommand(terminal: Terminal): Command {
  return asking("show", "show accounts: tokens granted, posted (spent) and pending (held), line by line")
    .argument("[requester]", "one account instead of all", nameArgument)
    .option("--lines <n>", "how many of the newest lines", countFlag, linesDefault)
    .addHelpText("after", examples("trialmesh budget show", "trialmesh budget show team-a --lines 200"))
    .action(
      action(terminal, (requester: string | undefined, options: MeshOptions & { readonly lines: number }) =>
        withMesh(terminal, options, async ({ client }) => {
          const answer = await client.query("budget", { requester: requester ?? null, lines: options.lines });
          return printAnswer(terminal, options, answer, budgetText);
        }),
      ),
    );
}

function budgetText({ accounts }: BudgetView): string {
  if (accounts.length === 0)
    return "no account is open; open one with `trialmesh account open NAME --grant TOKENS`";
  return accounts.map(accountText).join("\n\n");
}

function accountText(account: BudgetView["accounts"][number]): string {
  const { requester, granted, posted, pending, available, weight, queued } = account;
  const head = `${requester}: granted ${formatTokens(granted)}, posted ${formatTokens(posted)}, pending ${formatTokens(pending)}, available ${formatTokens(available)} tokens; weight ${weight}, ${plural(queued, "trial")} queued`;
  const lines = table(
    account.lines,
    [
      { head: "AT", cell: (line) => formatTime(line.at) },
      { head: "LINE", cell: (line) => line.kind },
      { head: "AMOUNT", cell: (line) => formatTokens(line.amount), right: true },
      { head: "TRIAL", cell: (line) => (line.trial === null ? "-" : `${line.trial} #${line.fence ?? "-"}`) },
      { head: "AGENT", cell: (line) => line.agent ?? "-" },
      { head: "GRANTED", cell: (line) => formatTokens(line.granted), right: true },
      { head: "POSTED", cell: (line) => formatTokens(line.posted), right: true },
      { head: "PENDING", cell: (line) => formatTokens(line.pending), right: true },
      { head: "NOTE", cell: (line) => line.note },
    ],
    "no line yet",
  );
  return `${head}\n${lines}`;
}
