/** An account as text: what it holds, where that comes from, and its place in the fair order. */
import { formatTokens } from "../../protocol/token.ts";
import { accountBar } from "../../text/canvas/account-bar.ts";
import { asciiGlyphs } from "../../text/glyph.ts";
import { turnText } from "../../text/turn.ts";
import type { BudgetView } from "../../protocol/view.ts";
import { formatDuration } from "../../text/duration.ts";
import { plural } from "../../protocol/plural.ts";
import { formatTime } from "../../text/figure.ts";
import { fields } from "../../text/table.ts";

export type AccountView = BudgetView["accounts"][number];

const barWidth = 24;

/** `all`: every account of the mesh, for the place in the fair order. */
export function accountText(account: AccountView, all: readonly AccountView[]): string {
  const { available, granted, pending, posted, queued, requester, weight } = account;
  const turn = turnText(account, all);
  return fields([
    ["account", `${requester}, weight ${weight}`],
    [
      "tokens",
      `${formatTokens(granted)} granted, ${formatTokens(posted)} posted, ${formatTokens(pending)} pending, ${formatTokens(available)} available`,
    ],
    ["", `[${accountBar(account, barWidth, asciiGlyphs)}] # posted, = pending`],
    ["refill", refillText(account)],
    ["per sweep", account.sweepCap === null ? "no limit" : `at most ${formatTokens(account.sweepCap)}`],
    ["fair order", queued === 0 ? turn : `${turn}; ${plural(queued, "trial")} queued`],
  ]);
}

export function refillText({ refill }: Pick<AccountView, "refill">): string {
  return refill === null ? "none" : `${bucketText(refill)}, next ${formatTime(refill.nextAt, Date.now())}`;
}

export function bucketText(refill: Omit<NonNullable<AccountView["refill"]>, "nextAt">): string {
  return `${formatTokens(refill.amount)} every ${formatDuration(refill.everyMs)} while less than ${formatTokens(refill.upTo)} is available`;
}
