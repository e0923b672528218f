/** What people made of a model, a dataset or a version: tags, a note, that it is removed. Nothing stands where nothing is. */
import type { SweepSummary } from "../../protocol/view.ts";
import type { Line } from "../../text/line.ts";
import { pair, type TableColumn } from "./screen-table.ts";

type Written = Pick<SweepSummary, "notes" | "removed" | "tags">;

export function writtenLines({ notes, removed, tags }: Written): readonly Line[] {
  return [
    ...(removed === undefined
      ? []
      : [pair("removed", `by ${removed.by}${removed.why === "" ? "" : `: ${removed.why}`}`, "bad")]),
    ...(tags === undefined ? [] : [pair("tags", tags.join(" "), "accent")]),
    ...(notes === undefined ? [] : [pair("note", notes)]),
  ];
}

export function tagsColumn<Row extends Pick<Written, "tags">>(
  rows: readonly Row[],
): readonly TableColumn<Row>[] {
  if (rows.every(({ tags }) => tags === undefined)) return [];
  return [{ title: "TAGS", width: 8, grow: 12, rank: 3, text: ({ tags }) => tags?.join(" ") ?? "-" }];
}

export function removedColumn<Row extends Pick<Written, "removed">>(
  rows: readonly Row[],
): readonly TableColumn<Row>[] {
  if (rows.every(({ removed }) => removed === undefined)) return [];
  return [
    {
      title: "STATE",
      width: 8,
      rank: 0,
      text: ({ removed }) => (removed === undefined ? "-" : "removed"),
      tone: ({ removed }) => (removed === undefined ? "plain" : "dim"),
    },
  ];
}
