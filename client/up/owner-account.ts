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
  const isThere = async () => {
    const present = await client.query("budget", { requester, lines: 0 });
    if (present.ok) return accept(present.value.accounts.length > 0);
    return present.refusal.code === "unknown" ? accept(false) : present;
  };
  const before = await isThere();
  if (!before.ok) return before;
  if (before.value) return accept(null);
  const opened = await client.command("account-open", {
    requester,
    weight: 1,
    grant: openingTokens * milliTokensPerToken,
  });
  if (opened.ok) return accept(null);
  // Somebody else of the owner's may have opened it in between.
  const after = await isThere();
  return after.ok && after.value ? accept(null) : opened;
}
