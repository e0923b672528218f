/** Screen 3: the selected sweep's trials, and of the selected one its details, why it waits, or its log. */
import { answerTo, refusalTo } from "../model/mesh-data.ts";
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
    list: (width, height) => trialTable(view, { width, height, focused: true }),
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
    logs: `Log of ${trial.trial}`,
  };
  const head = heading(title[ui.tab], width, false, glyphs);
  if (ui.tab === "why") return [head, ...trialWhyLines(view, trial.trial, width, height - 1)];
  if (ui.tab === "logs") return [head, ...logLines(view, trial.trial, height - 1)];
  return [head, ...trialDetail(view, sweep, trial, width, height - 1)];
}

function logLines(view: View, trial: string, height: number): readonly Line[] {
  const logs = answerTo(view.data, logsWant(trial));
  if (logs === null) return [waitingFor(view, "the log", refusalTo(view.data, logsWant(trial)))];
  if (logs.lines.length === 0) return [line("  ", span("it has written no line", "dim"))];
  return logs.lines
    .slice(-Math.max(0, height))
    .map((each) => line(span(each.stream === "err" ? "! " : "  ", "warn"), span(each.line)));
}
