/** Scrolls the log that has the focus. Where it is at its end it follows what comes; how tall it is drawn is the screen's. */
import { logsWant, selectedTrial } from "./list.ts";
import { answerTo, type Data } from "./mesh-data.ts";
import type { Ui } from "./ui.ts";

/** A page leaves so many of the rows that a log has. */
const rowsBesidePage = 2;

/** `by` lines down; `page`: about as many as are shown. */
export function scrollLog(ui: Ui, by: number, page: number, data: Data): Ui {
  const shown = page + rowsBesidePage;
  const trial = selectedTrial(ui, data);
  const lines = trial === null ? 0 : (answerTo(data, logsWant(trial.trial))?.lines.length ?? 0);
  const end = Math.max(0, lines - shown);
  const from = Math.min(ui.logTop ?? end, end);
  const to = Math.max(0, from + by);
  return { ...ui, logTop: to >= end && by > 0 ? null : Math.min(to, end) };
}
