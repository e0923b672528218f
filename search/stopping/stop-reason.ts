/** Why a policy ended a trial, as data for the coordinator and as a sentence for people. */

export type StopReason =
  | {
      readonly rule: "median" | "percentile";
      /** Share that goes on, in percent. */
      readonly percentile: number;
      /** Best score of the trial so far; larger is better. */
      readonly best: number;
      readonly threshold: number;
      /** Other trials it was compared with. */
      readonly among: number;
    }
  | {
      readonly rule: "median" | "percentile";
      readonly percentile: number;
      /** Several objectives: by how many of the others it is dominated. */
      readonly dominatedBy: number;
      readonly among: number;
    }
  | {
      readonly rule: "patience";
      /** Judged epochs in a row without a better score. */
      readonly rungs: number;
      readonly minDelta: number;
    };

const digits = 4;

/** `valueOf` turns a score back into the objective's own value; `goal` says which way is better. */
export function stopText(
  reason: StopReason,
  resource: number,
  goal: "maximize" | "minimize",
  valueOf: (score: number) => number,
): string {
  const show = (score: number) => String(Number(valueOf(score).toPrecision(digits)));
  if (reason.rule === "patience") {
    const by = reason.minDelta === 0 ? "" : ` by more than ${reason.minDelta}`;
    const times = reason.rungs === 1 ? "the last time" : `the last ${reason.rungs} times`;
    return `patience: no better${by} ${times} it was judged, up to epoch ${resource}`;
  }
  if ("dominatedBy" in reason) {
    const kept = reason.rule === "median" ? "the better half" : `the best ${reason.percentile} %`;
    return `${reason.rule}: at epoch ${resource} it is dominated by ${reason.dominatedBy} of ${reason.among} trials and not among ${kept}`;
  }
  const side = goal === "maximize" ? "below" : "above";
  const what = reason.rule === "median" ? "the median" : `what the best ${reason.percentile} % reach,`;
  const best = Number.isFinite(reason.best) ? show(reason.best) : "no finite value";
  return `${reason.rule}: ${best} by epoch ${resource} is ${side} ${what} ${show(reason.threshold)} of ${reason.among} trials`;
}
