/** Screen 7: the journal as it grows, newest first. */
import { refusalTo } from "../model/mesh-data.ts";
import { eventsOf, eventsWant, selectedIndex, type EventRow } from "../model/list.ts";
import { heading } from "../part/pane.ts";
import { position, table, type TableColumn } from "../part/screen-table.ts";
import { clockTime } from "../../text/format.ts";
import type { Line } from "../../text/line.ts";
import { waitingFor, type View } from "../part/screen-view.ts";

const columns: readonly TableColumn<EventRow>[] = [
  { title: "#", width: 6, align: "right", rank: 2, text: (e) => String(e.sequence) },
  { title: "TIME", width: 8, rank: 1, text: (e) => clockTime(e.at), tone: () => "dim" },
  { title: "KIND", width: 16, grow: 8, rank: 3, text: (e) => e.kind, tone: () => "accent" },
  { title: "WHAT HAPPENED", width: 20, grow: 400, rank: 0, text: (e) => e.text },
];

export function eventsScreen(view: View): readonly Line[] {
  const { ui, data, glyphs, width, height } = view;
  const events = eventsOf(ui, data);
  const selected = selectedIndex(
    ui.selections.events,
    events.map(({ key }) => key),
  );
  const head = heading(`Events, newest first ${position(selected, events.length)}`, width, true, glyphs);
  if (data.answers.events.size === 0) {
    return [head, waitingFor(view, "events", refusalTo(data, eventsWant))];
  }
  const empty = ui.filters.events === "" ? "no event yet" : "no event matches the filter";
  return [
    head,
    ...table({ columns, rows: events, selected, focused: true, width, height: height - 1, glyphs, empty }),
  ];
}
