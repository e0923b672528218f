/** An account's ledger as a bank statement: what each line moved, for which trial on which machine, and what was held after it. */
import { formatTokens } from "../../protocol/token.ts";
import type { LedgerLineView } from "../../protocol/view.ts";
import { plural } from "../../protocol/plural.ts";
import { finePercent, formatTime } from "../../text/figure.ts";
import { table } from "../../text/table.ts";

interface NumberedLine extends LedgerLineView {
  readonly number: number;
}

export function statementText(lines: readonly LedgerLineView[]): string {
  const numbered = lines.map((line, index): NumberedLine => ({ ...line, number: index + 1 }));
  return table(
    numbered,
    [
      { head: "LINE", cell: (line) => String(line.number), right: true },
      { head: "AT", cell: (line) => formatTime(line.at, Date.now()) },
      { head: "KIND", cell: (line) => line.kind },
      { head: "AMOUNT", cell: (line) => formatTokens(line.amount), right: true },
      { head: "TRIAL", cell: (line) => (line.trial === null ? "-" : `${line.trial} #${line.fence ?? "-"}`) },
      { head: "AGENT", cell: (line) => line.agent ?? "-" },
      { head: "GRANTED", cell: (line) => formatTokens(line.granted), right: true },
      { head: "POSTED", cell: (line) => formatTokens(line.posted), right: true },
      { head: "PENDING", cell: (line) => formatTokens(line.pending), right: true },
      { head: "AVAILABLE", cell: availableText, right: true },
      { head: "NOTE", cell: (line) => line.note },
    ],
    "no line yet",
  );
}

/** Below zero would be an overspend: it must show. */
function availableText({ granted, pending, posted }: LedgerLineView): string {
  const left = granted - posted - pending;
  return left < 0 ? `-${formatTokens(-left)}` : formatTokens(left);
}

export interface Peak {
  /** From 1, in the order of the lines. */
  readonly line: number;
  readonly at: number;
  readonly used: number;
  readonly granted: number;
  /** Lines at which more was posted and pending than granted. */
  readonly over: number;
}

/** Where the largest share of what was granted was posted or pending, the first such line; null without lines. */
export function peakOf(lines: readonly LedgerLineView[]): Peak | null {
  let peak: Peak | null = null;
  let over = 0;
  for (const [index, { at, granted, pending, posted }] of lines.entries()) {
    const used = posted + pending;
    if (used > granted) over += 1;
    if (peak === null || shareOf({ used, granted }) > shareOf(peak)) {
      peak = { line: index + 1, at, used, granted, over };
    }
  }
  return peak === null ? null : { ...peak, over };
}

function shareOf({ granted, used }: Pick<Peak, "granted" | "used">): number {
  if (granted === 0) return used === 0 ? 0 : Infinity;
  return used / granted;
}

export function peakText(lines: readonly LedgerLineView[]): string {
  const peak = peakOf(lines);
  if (peak === null) return "no line, so nothing was ever spent or held";
  const share = peak.granted === 0 ? "" : ` (${finePercent(shareOf(peak))})`;
  const place = `at line ${peak.line}, ${formatTime(peak.at, Date.now())}`;
  const verdict =
    peak.over === 0
      ? "never above it"
      : `ABOVE it at ${plural(peak.over, "line")}: the ledger is broken, keep the journal`;
  return `over these ${plural(lines.length, "line")} posted + pending came nearest to granted with ${formatTokens(peak.used)} of ${formatTokens(peak.granted)}${share} ${place}; ${verdict}`;
}
