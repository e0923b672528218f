/** What people made of something, in lists and in what is said of one: tags, a note, that it is removed. Only what is there. */
import type { SweepSummary } from "../../protocol/view.ts";
import { clipped } from "../../text/clip.ts";
import { formatTime } from "../../text/figure.ts";
import type { Column } from "../../text/table.ts";

type Labels = Pick<SweepSummary, "notes" | "tags">;
type Written = Pick<SweepSummary, "notes" | "removed" | "tags">;

/** Of a note that stands beside others. */
const noteCells = 40;

/** Only where any row has some. */
export function tagsColumn<Row extends { readonly tags?: readonly string[] }>(
  rows: readonly Row[],
): Column<Row>[] {
  return rows.some(({ tags }) => tags !== undefined)
    ? [{ head: "TAGS", cell: ({ tags }) => tags?.join(" ") ?? "" }]
    : [];
}

/** `of`: where a row has it. */
export function writtenColumns<Row>(rows: readonly Row[], of: (row: Row) => Written): Column<Row>[] {
  const columns: readonly { readonly head: string; readonly text: (written: Written) => string }[] = [
    { head: "TAGS", text: ({ tags }) => tags?.join(" ") ?? "" },
    { head: "NOTE", text: ({ notes }) => (notes === undefined ? "" : clipped(notes, noteCells)) },
    { head: "REMOVED", text: ({ removed }) => (removed === undefined ? "" : removedText(removed)) },
  ];
  return columns.flatMap(({ head, text }) =>
    rows.some((row) => text(of(row)) !== "") ? [{ head, cell: (row: Row) => text(of(row)) }] : [],
  );
}

/** A row of which the newest version is removed is removed itself. */
export function withRemoved(labels: Labels, { removed }: Pick<Written, "removed">): Written {
  return removed === undefined ? labels : { ...labels, removed };
}

/** Tags and note, as lines of what is said of it. */
export function labelFields({ notes, tags }: Labels): readonly (readonly [string, string])[] {
  return [
    ...(tags === undefined ? [] : [["tags", tags.join(" ")] as const]),
    ...(notes === undefined ? [] : [["note", notes] as const]),
  ];
}

export function removedText({ at, by, why }: NonNullable<Written["removed"]>): string {
  return `by ${by} ${formatTime(at, Date.now())}${why === "" ? "" : `: ${why}`}`;
}
