/** The best trials of a sweep, which retention keeps the bytes of: by what each counts with, of equal ones the first. */
import { keptOf } from "../state/kept-of.ts";
import { scoreOf } from "../state/objective.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { trialsOf } from "../state/trials-of.ts";

/** At most `most`, best first; its best of all is always among them. Trials that are being trained count too. */
export function bestTrials(state: State, sweep: Sweep, most: number): Trial[] {
  const best: { readonly trial: Trial; readonly score: number }[] = [];
  for (const trial of trialsOf(state, sweep)) {
    if (trial.value === null || keptOf(trial) === null) continue;
    const score = scoreOf(sweep.spec, trial.value);
    const last = best.at(-1);
    if (best.length >= most && (last === undefined || !(score > last.score))) continue;
    const at = best.findIndex((each) => score > each.score);
    best.splice(at < 0 ? best.length : at, 0, { trial, score });
    if (best.length > most) best.pop();
  }
  const found = best.map(({ trial }) => trial);
  const first = sweep.best === null ? null : mustGet(state.trials, sweep.best.trial, "trial");
  return first === null || found.includes(first) || keptOf(first) === null ? found : [first, ...found];
}
