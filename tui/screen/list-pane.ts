/** The list on the left of a screen: its heading, what stands there while it is empty, and its table. */
import { refusalTo, type Want } from "../model/mesh-data.ts";
import { selectedIndex } from "../model/list.ts";
import type { Selection } from "../model/ui.ts";
import { heading } from "../part/pane.ts";
import { position, table, type TableColumn } from "../part/screen-table.ts";
import { line, span, type Line } from "../../text/line.ts";
import { waitingFor, type View } from "../part/screen-view.ts";

export interface ListPane<Row> {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly idOf: (row: Row) => string;
  /** Id of the selected row, as the screen's state has it. */
  readonly selection: Selection;
  /** Whether the mesh has answered at all; until then an empty list is only waited for. */
  readonly known: boolean;
  readonly want: Want;
  /** What an answered, empty list says. */
  readonly empty: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly width: number;
  readonly height: number;
}

export function listPane<Row>(view: View, pane: ListPane<Row>): readonly Line[] {
  const { ui, glyphs } = view;
  const { columns, height, rows, title, width } = pane;
  const selected = selectedIndex(pane.selection, rows.map(pane.idOf));
  const focused = ui.focus === 0;
  const head = heading(`${title} ${position(selected, rows.length)}`, width, focused, glyphs);
  if (rows.length === 0) {
    if (pane.known) return [head, line("  ", span(pane.empty, "dim"))];
    return [head, waitingFor(view, title.toLowerCase(), refusalTo(view.data, pane.want))];
  }
  return [head, ...table({ columns, rows, selected, focused, width, height: height - 1, glyphs, empty: "" })];
}
