/** A plan's preview for people: after each step what it was, how many rows are left, and the first of them. */
import type { Preview, StepPreview } from "../../data/version/preview.ts";
import { describeBadRow } from "../../data/row/bad-row.ts";
import type { Step } from "../../data/declaration/plan-step.ts";
import { plural } from "../../protocol/plural.ts";
import { spelledOut } from "../../text/look-alike.ts";
import { table } from "../../text/table.ts";

/** Characters that the columns of a row share. */
const widthMax = 150;
const titleMax = 96;

export function previewText(preview: Preview): string {
  const steps = preview.steps.map((step, index) => stepText(preview, step, preview.steps[index - 1]));
  const bad = preview.bad.map((row) => `  ${row.source}, ${describeBadRow(row)}`);
  return [
    ...steps,
    ...(bad.length === 0 ? [] : [["rejected:", ...bad].join("\n")]),
    ...(preview.notes.length === 0 ? [] : [preview.notes.join("\n")]),
  ].join("\n\n");
}

function stepText({ sources }: Preview, shown: StepPreview, before: StepPreview | undefined): string {
  const { badRows, columns, first, index, rows, splits, step } = shown;
  const was = before === undefined || before.rows === rows ? "" : `, ${before.rows - rows} fewer`;
  const rejected = badRows > (before?.badRows ?? 0) ? `, ${plural(badRows, "row")} rejected so far` : "";
  const divided =
    splits === null
      ? ""
      : `: ${Object.entries(splits)
          .map(([split, count]) => `${count} ${split}`)
          .join(", ")}`;
  const head = `${index}. ${step === null ? "as read" : stepTitle(step)} (${plural(rows, "row")}${was}${rejected}${divided})`;
  const changed = columns.flatMap(({ name }, column) =>
    differs(shown, before, name, column) ? [{ name, column }] : [],
  );
  if (changed.length === 0 && first.length > 0 && splits === null)
    return `${head}\n  these rows stay as they are`;
  const width = Math.floor(widthMax / Math.max(1, changed.length));
  const body = table(
    first,
    [
      {
        head: "FROM",
        cell: ({ file, line }) => `${sources[file] ?? ""}:${line}`,
      },
      ...(first.some(({ split }) => split !== null)
        ? [{ head: "SPLIT", cell: ({ split }: (typeof first)[number]) => split ?? "" }]
        : []),
      ...changed.map(({ name, column }) => ({
        head: name,
        cell: ({ values }: (typeof first)[number]) => cell(values[column] ?? null, width),
      })),
    ],
    "no row is left",
  );
  return `${head}\n${body}`;
}

/** Whether a step made the column, or other values of it in the rows that are shown. */
function differs(shown: StepPreview, before: StepPreview | undefined, name: string, column: number): boolean {
  const then = before?.columns.findIndex((each) => each.name === name) ?? -1;
  if (before === undefined || then === -1) return true;
  return shown.first.some(({ file, line, values }) => {
    const same = before.first.find((row) => row.file === file && row.line === line);
    return same === undefined || same.values[then] !== values[column];
  });
}

/** `concat columns=title,description to=text` */
function stepTitle(step: Step): string {
  const { step: name, ...settings } = step;
  const told = Object.entries(settings)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(
      ([key, value]: [string, unknown]) =>
        `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
  return cell([name, ...told].join(" "), titleMax);
}

/** What cannot be seen spelled out, and cut to a width. */
function cell(value: string | null, most: number): string {
  if (value === null) return "(missing)";
  const shown = spelledOut(JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"'));
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}
