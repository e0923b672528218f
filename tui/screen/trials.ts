/** Screen 3: the selected sweep's trials, and of the selected one its details, why it waits, or its log. */
import { answerTo, refusalTo } from "../model/mesh-data.ts";
import { isInLog } from "../model/ui.ts";
import { logsWant, selectedSweep, selectedTrial, sweepOf, trialsOf } from "../model/list.ts";
import { arrange } from "../part/arrange.ts";
import { heading } from "../part/pane.ts";
import { line, span, type Line } from "../../text/line.ts";
import { trialDetail } from "./trial-detail.ts";
import { trialTable } from "./trial-table.ts";
import { waitingFor, type View } from "../part/screen-view.ts";
import { trialWhyLines } from "./why.ts";

export function trialsScreen(view: View): readonly Line[] {
  if (selectedSweep(view.ui, view.data) === null) {
    return [
      heading("Trials", view.width, true, view.glyphs),
      view.data.answers.sweeps.size > 0
        ? line("  ", span("no sweep yet: n launches one", "dim"))
        : waitingFor(view, "sweeps", null),
    ];
  }
  return arrange(view, {
    list: (width, height) => trialTable(view, { width, height, focused: !isInLog(view.ui) }),
    detail: (width, height) => detail(view, width, height),
    third: null,
    listShare: 0.55,
    listRows: trialsOf(view.ui, view.data).length + 2,
  });
}

function detail(view: View, width: number, height: number): readonly Line[] {
  const { ui, data, glyphs } = view;
  const trial = selectedTrial(ui, data);
  const sweep = sweepOf(ui, data);
  if (trial === null || sweep === null) return [];
  const title = {
    trial: `Trial ${trial.trial}`,
    why: `Why ${trial.trial} does not run`,
  };
  if (ui.tab === "logs") return logPane(view, trial.trial, width, height);
  const head = heading(title[ui.tab], width, false, glyphs);
  if (ui.tab === "why") return [head, ...trialWhyLines(view, trial.trial, width, height - 1)];
  return [head, ...trialDetail(view, sweep, trial, width, height - 1)];
}

/** As many lines as fit, from where it was scrolled to; which of them says its title. */
function logPane(view: View, trial: string, width: number, height: number): readonly Line[] {
  const { glyphs, ui } = view;
  const titled = (more: string) => heading(`Log of ${trial}${more}`, width, isInLog(ui), glyphs);
  const logs = answerTo(view.data, logsWant(trial));
  if (logs === null) return [titled(""), waitingFor(view, "the log", refusalTo(view.data, logsWant(trial)))];
  const { lines } = logs;
  const none = logs.gone === true ? "what it wrote is no longer kept" : "it has written no line";
  if (lines.length === 0) return [titled(""), line("  ", span(none, "dim"))];
  const room = Math.max(0, height - 1);
  const end = Math.max(0, lines.length - room);
  const from = Math.min(ui.logTop ?? end, end);
  const shown = lines.slice(from, from + room);
  return [
    titled(end === 0 ? "" : ` ${from + 1}-${from + shown.length} of ${lines.length}`),
    ...shown.map((each) => line(span(each.stream === "err" ? "! " : "  ", "warn"), span(each.line))),
  ];
}
