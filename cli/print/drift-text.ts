/** How two datasets differ, as text: verdicts first, then each column with its figure, words, and the first rows that changed. */
import type { ServingDiff } from "../../client/model/diff-serving.ts";
import type { ColumnDrift } from "../../data/drift/column-drift.ts";
import type { DatasetDiff, DiffSide } from "../../data/drift/diff.ts";
import { driftFigure } from "../../data/drift/verdict.ts";
import { bar } from "../../text/canvas/bar.ts";
import { asciiGlyphs } from "../../text/glyph.ts";
import { clipped } from "../../text/clip.ts";
import { plural } from "../../protocol/plural.ts";
import { finePercent, formatMetric, formatTime, shortDigest } from "../../text/figure.ts";
import { table } from "../../text/table.ts";

const rowsShown = 5;
const wordsShown = 10;
const columnsShown = 40;
const textCells = 60;
const nameCells = 24;
const barCells = 12;

export function driftText(diff: DatasetDiff): string {
  const { columns, verdicts } = diff;
  const said =
    verdicts.length === 0
      ? "The two are alike."
      : verdicts.map(({ sentence, severity }) => `${severity.padEnd(4)}  ${sentence}`).join("\n");
  const hidden = columns.length - columnsShown;
  return [
    `a: ${sideText(diff.a)}\nb: ${sideText(diff.b)}`,
    said,
    `${columnTable(columns.slice(0, columnsShown))}${hidden > 0 ? `\nand ${plural(hidden, "more column")}` : ""}`,
    labelTable(diff),
    wordTable(diff),
    ...rowTables(diff),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What was served beside a data set: rows are not kept, so none are shown. */
export function servingDriftText(diff: ServingDiff): string {
  const { a, b, columns, verdicts } = diff;
  const seen = b.seen > b.rows ? ` of ${b.seen} that were answered` : "";
  const between = `${formatTime(b.since, Date.now())} to ${formatTime(b.until, Date.now())}`;
  const said =
    verdicts.length === 0
      ? "What is served is like what it was trained on."
      : verdicts.map(({ sentence, severity }) => `${severity.padEnd(4)}  ${sentence}`).join("\n");
  const hidden = columns.length - columnsShown;
  return [
    `a: ${a.name} (train), ${plural(a.rows, "row")}\nb: ${b.name} as served, ${plural(b.rows, "row")}${seen}, ${between}`,
    said,
    `${columnTable(columns.slice(0, columnsShown))}${hidden > 0 ? `\nand ${plural(hidden, "more column")}` : ""}`,
    labelTable(diff),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function sideText({ digest, name, rows, split, splits }: DiffSide): string {
  const version = digest === null ? "" : ` ${shortDigest(digest)}`;
  const parts = splits.map((one) => `${one.split} ${one.rows}`).join(", ");
  return `${name}${split === null ? "" : ` (${split})`}${version}, ${plural(rows, "row")}: ${parts}`;
}

function columnTable(columns: readonly ColumnDrift[]): string {
  return table(
    columns,
    [
      { head: "COLUMN", cell: ({ column }) => clipped(column, nameCells) },
      { head: "DRIFT", cell: ({ drifted }) => (drifted ? "yes" : "no") },
      { head: "STABILITY", cell: ({ stability }) => formatMetric(stability.index), right: true },
      { head: "MEAN A", cell: ({ means }) => formatMetric(means.a), right: true },
      { head: "MEAN B", cell: ({ means }) => formatMetric(means.b), right: true },
      { head: "BY", cell: driftFigure },
    ],
    "no column stands on both sides",
  );
}

function labelTable({ labels }: Pick<DatasetDiff, "labels">): string {
  const sum = (side: "a" | "b") => labels.reduce((total, label) => total + label[side], 0);
  const [inA, inB] = [sum("a"), sum("b")];
  const share = (rows: number, total: number) => (total === 0 ? 0 : rows / total);
  return table(
    labels,
    [
      { head: "LABEL", cell: ({ label }) => clipped(label, nameCells) },
      { head: "A", cell: ({ a }) => String(a), right: true },
      { head: "", cell: ({ a }) => `[${bar(share(a, inA), 1, barCells, asciiGlyphs)}]` },
      { head: "B", cell: ({ b }) => String(b), right: true },
      { head: "", cell: ({ b }) => `[${bar(share(b, inB), 1, barCells, asciiGlyphs)}]` },
    ],
    "",
  );
}

function wordTable({ text }: DatasetDiff): string {
  return table(
    (text?.words ?? []).slice(0, wordsShown),
    [
      { head: "WORD", cell: ({ word }) => clipped(word, nameCells) },
      { head: "TEXTS OF A", cell: ({ a }) => finePercent(a), right: true },
      { head: "TEXTS OF B", cell: ({ b }) => finePercent(b), right: true },
    ],
    "",
  );
}

function rowTables({ rows: { added, relabelled, removed } }: DatasetDiff): readonly string[] {
  const listed = (what: string, { listed: rows, rows: all }: typeof added) => {
    if (rows.length === 0) return "";
    const shown = rows.slice(0, rowsShown);
    const lines = table(
      shown,
      [
        { head: "PLACE", cell: ({ file, line }) => `${file}:${line}` },
        { head: "SPLIT", cell: ({ split }) => split },
        { head: "LABEL", cell: ({ label }) => clipped(label, nameCells) },
        { head: "ROW", cell: ({ text }) => clipped(text, textCells) },
      ],
      "",
    );
    return `${plural(all, "row")} ${what}${all > shown.length ? `, the first ${shown.length}` : ""}:\n${lines}`;
  };
  const changed = table(
    relabelled.listed.slice(0, rowsShown),
    [
      { head: "BEFORE", cell: ({ a }) => `${a.file}:${a.line} ${clipped(a.label, nameCells)}` },
      { head: "AFTER", cell: ({ b }) => `${b.file}:${b.line} ${clipped(b.label, nameCells)}` },
      { head: "ROW", cell: ({ text }) => clipped(text, textCells) },
    ],
    "",
  );
  return [
    changed === "" ? "" : `${plural(relabelled.rows, "row")} under another label:\n${changed}`,
    listed("came", added),
    listed("went", removed),
  ];
}
