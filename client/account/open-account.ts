/** Opens a requester's account, or finds it open: then it keeps its tokens, and a second opening grant is refused. */
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandBody } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { BudgetView } from "../../protocol/view.ts";

export interface OpenedAccount extends BudgetView {
  readonly opened: boolean;
}

/** What the account has now, and whether it was open before. */
export async function openAccount(
  client: MeshClient,
  account: Partial<CommandBody<"account-open">> & { readonly requester: string },
): Promise<Outcome<OpenedAccount>> {
  const opened = await client.command("account-open", account);
  if (!opened.ok) return opened;
  const budget = await client.query("budget", { requester: account.requester, lines: 0 });
  return budget.ok ? accept({ ...budget.value, opened: opened.value.opened ?? true }) : budget;
}
