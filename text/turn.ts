/** Where an account stands in the fair order, in words; the same on a screen and on the command line. */
import type { BudgetView } from "../protocol/view.ts";

type Waiting = Pick<BudgetView["accounts"][number], "requester" | "queued" | "startTag">;

/** `2 of 3, after bo`; only who has something queued takes turns. `all`: every account of the mesh. */
export function turnText(account: Waiting, all: readonly Waiting[]): string {
  if (account.queued === 0) return "nothing queued";
  const order = all
    .filter(({ queued }) => queued > 0)
    .toSorted((a, b) => a.startTag - b.startTag || (a.requester < b.requester ? -1 : 1));
  const place = order.findIndex(({ requester }) => requester === account.requester);
  const before = order.slice(0, Math.max(0, place)).map(({ requester }) => requester);
  return `${place + 1} of ${order.length}${before.length === 0 ? "" : `, after ${before.join(", ")}`}`;
}
