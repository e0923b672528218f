/**
 * The owner's own account: whoever made the mesh has the tokens of its machines to give, so they
 * start with plenty. Others get what the owner grants them.
 */
import type { MeshClient } from "../../protocol/client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";

/** Some eleven days of the reference machine. */
const openingTokens = 1_000_000;

export async function ensureOwnerAccount(client: MeshClient): Promise<Outcome<null>> {
  const requester = client.who;
  const present = await client.query("budget", { requester, lines: 0 });
  if (present.ok && present.value.accounts.length > 0) return accept(null);
  if (!present.ok && present.refusal.code !== "unknown") return present;
  const opened = await client.command("account-open", {
    requester,
    weight: 1,
    grant: openingTokens * milliTokensPerToken,
  });
  return opened.ok ? accept(null) : opened;
}
