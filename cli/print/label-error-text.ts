/** Labels that may be wrong, as text: how many, and the first of them. */
import { percent } from "../../text/figure.ts";
import type { LabelErrors } from "../../data/quality/find-label-errors.ts";
import { clipped } from "../../text/clip.ts";
import { table } from "../../text/table.ts";

const shownMost = 20;
const labelCells = 16;
const textCells = 70;

export function labelErrorText({ agreement, judged, listed, rows, suspects }: LabelErrors): string {
  if (judged === 0) return "labels: too few rows or labels to judge";
  const of = judged < rows ? ` (drawn from ${rows} rows)` : "";
  const head = `labels: ${suspects} of ${judged}${of} are likely wrong; the model that judges them agrees with ${percent(agreement)} of those it has not seen`;
  const lines = table(
    listed.slice(0, shownMost),
    [
      {
        head: "PLACE",
        cell: ({ file, line }) => `${file === "" ? "row" : file}${line === null ? "" : `:${line}`}`,
      },
      { head: "LABEL", cell: ({ label }) => clipped(label, labelCells) },
      { head: "PERHAPS", cell: ({ suggested }) => clipped(suggested, labelCells) },
      { head: "SCORE", cell: ({ score }) => score.toFixed(2), right: true },
      { head: "TEXT", cell: ({ text }) => clipped(text, textCells) },
    ],
    "",
  );
  return lines === "" ? head : `${head}\n${lines}`;
}
