/** The trials of the selected sweep, best first, in the columns that fit. */
import type { TrialView } from "../../protocol/view.ts";
import { selectedIndex, sweepOf, trialsOf } from "../model/list.ts";
import { heading } from "../part/pane.ts";
import { position, table, type TableColumn } from "../part/screen-table.ts";
import { tokens, value } from "../../text/format.ts";
import { paramsFormat } from "../../text/shown-parameter.ts";
import type { Glyphs } from "../../text/glyph.ts";
import type { Line, Tone } from "../../text/line.ts";
import type { View } from "../part/screen-view.ts";

export const trialTones: Readonly<Record<TrialView["state"], Tone>> = {
  queued: "dim",
  running: "good",
  paused: "warn",
  completed: "plain",
  stopped: "dim",
  failed: "bad",
  cancelled: "dim",
};

export function trialTable(
  view: View,
  room: { readonly width: number; readonly height: number; readonly focused: boolean },
): readonly Line[] {
  const { ui, data, glyphs } = view;
  if (room.height <= 0) return [];
  const trials = trialsOf(ui, data);
  const selected = selectedIndex(
    ui.selections.trials,
    trials.map((each) => each.trial),
  );
  const known = sweepOf(ui, data)?.trials.length ?? 0;
  const proposed = sweepOf(ui, data)?.summary.counts.proposed ?? 0;
  const beyond = proposed > known ? `, the best of ${proposed}` : "";
  return [
    heading(
      `Trials, best first ${position(selected, trials.length)}${beyond}`,
      room.width,
      room.focused,
      glyphs,
    ),
    ...table({
      columns: columns(glyphs, paramsFormat(sweepOf(ui, data)?.trials ?? [], "differing")),
      rows: trials,
      selected,
      focused: room.focused,
      width: room.width,
      height: room.height - 1,
      glyphs,
      empty:
        ui.screen === "trials" && ui.filters.trials !== "" ? "no trial matches the filter" : "no trial yet",
    }),
  ];
}

function columns(
  glyphs: Glyphs,
  params: (params: TrialView["params"]) => string,
): readonly TableColumn<TrialView>[] {
  return [
    { title: "TRIAL", width: 7, grow: 3, rank: 0, text: (t) => t.trial },
    {
      title: "STATE",
      width: 11,
      rank: 1,
      text: (t) => `${glyphs.trial[t.state]} ${t.state}`,
      tone: (t) => trialTones[t.state],
    },
    { title: "VALUE", width: 7, align: "right", rank: 0, text: (t) => value(t.value) },
    { title: "EPOCH", width: 7, align: "right", rank: 2, text: (t) => `${t.resource}/${t.target}` },
    { title: "MODEL", width: 9, grow: 5, rank: 3, text: (t) => t.model },
    { title: "AGENT", width: 8, grow: 8, rank: 6, text: agentText },
    { title: "TOKENS", width: 6, align: "right", rank: 4, text: (t) => tokens(t.spent) },
    { title: "PARAMETERS", width: 12, grow: 60, rank: 5, text: (t) => params(t.params) },
  ];
}

function agentText(trial: TrialView): string {
  if (trial.reusedFrom !== null) return `= ${trial.reusedFrom}`;
  return trial.attempts.at(-1)?.agent ?? "-";
}
