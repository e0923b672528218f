/** Opens a requester's account, or finds it open: then it keeps its tokens and gets no second opening grant. */
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandBody } from "../../protocol/command.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { BudgetView } from "../../protocol/view.ts";

/** What the account has now. */
export async function openAccount(
  client: MeshClient,
  account: CommandBody<"account-open">,
): Promise<Outcome<BudgetView>> {
  const opened = await client.command("account-open", account);
  return opened.ok ? client.query("budget", { requester: account.requester, lines: 0 }) : opened;
}
