/**
 * Confident learning: which labels are likely wrong, from out-of-sample probabilities alone (Northcutt, Jiang, Chuang,
 * "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021). Knows neither texts nor models; where the
 * probabilities come from is `out-of-fold.ts`.
 */

/** Labels as given, with the probabilities a model that has not seen them gives each row. */
export interface Judged {
  /** [rows] Index of the given label. */
  readonly given: Int32Array;
  /** [rows, classes], row after row; each row sums to 1. */
  readonly probabilities: Float64Array;
  readonly classes: number;
}

export const pruneMethods = ["confident-joint", "by-class", "by-noise-rate", "both"] as const;
/**
 * `confident-joint`: every row counted off the joint's diagonal (the paper's C). `by-class`: of each label as many as the
 * joint calls wrong, least self-confident first. `by-noise-rate`: of each pair of labels as many as the joint says, largest
 * margin first. `both`: what the last two agree on.
 */
export type PruneMethod = (typeof pruneMethods)[number];
/** `margin`: p(given) - the largest p of another label. `self-confidence`: p(given). The lower, the more suspect. */
export type Ranking = "margin" | "self-confidence";

export interface ConfidentJoint {
  /** [classes] Mean probability of a class among the rows labelled so; 1 for a class without rows. */
  readonly thresholds: Float64Array;
  /** [classes, classes] Rows by given label and confident label. */
  readonly counts: Float64Array;
  /** [classes, classes] The counts calibrated to how often each label is given; the sum is the number of rows. */
  readonly joint: Float64Array;
  /** [rows] Confident label of each row; -1 where no class reaches its threshold. */
  readonly confident: Int32Array;
}

export function confidentJoint({ classes, given, probabilities }: Judged): ConfidentJoint {
  const rows = given.length;
  const thresholds = new Float64Array(classes);
  const labelRows = new Float64Array(classes);
  for (let row = 0; row < rows; row++) {
    const label = given[row] ?? 0;
    labelRows[label] = (labelRows[label] ?? 0) + 1;
    thresholds[label] = (thresholds[label] ?? 0) + (probabilities[row * classes + label] ?? 0);
  }
  for (let label = 0; label < classes; label++) {
    const count = labelRows[label] ?? 0;
    thresholds[label] = count === 0 ? 1 : (thresholds[label] ?? 0) / count;
  }
  const counts = new Float64Array(classes * classes);
  const confident = new Int32Array(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    let best = -1;
    let bestProbability = -1;
    for (let label = 0; label < classes; label++) {
      const probability = probabilities[row * classes + label] ?? 0;
      if (probability >= (thresholds[label] ?? 1) && probability > bestProbability) {
        best = label;
        bestProbability = probability;
      }
    }
    confident[row] = best;
    const cell = (given[row] ?? 0) * classes + best;
    if (best !== -1) counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return { thresholds, counts, joint: calibrated(counts, labelRows, classes), confident };
}

/** Each row of the counts is stretched to as many rows as have that label (the paper's equation 3, times the rows). */
function calibrated(counts: Float64Array, labelRows: Float64Array, classes: number): Float64Array {
  const joint = new Float64Array(classes * classes);
  for (let label = 0; label < classes; label++) {
    let sum = 0;
    for (let other = 0; other < classes; other++) sum += counts[label * classes + other] ?? 0;
    for (let other = 0; other < classes; other++) {
      const cell = label * classes + other;
      // A label of which no row is confident is taken to be right.
      const share = sum === 0 ? Number(other === label) : (counts[cell] ?? 0) / sum;
      joint[cell] = share * (labelRows[label] ?? 0);
    }
  }
  return joint;
}

/** Rows whose label is likely wrong, most suspect first. */
export function suspectRows(
  judged: Judged,
  options: { readonly prune: PruneMethod; readonly rank: Ranking },
): readonly number[] {
  const joint = confidentJoint(judged);
  const chosen = pruned(judged, joint, options.prune);
  return [...chosen].sort(
    (a, b) => labelScore(judged, a, options.rank) - labelScore(judged, b, options.rank) || a - b,
  );
}

/** How well a row's label fits; the lower, the more suspect. In [-1, 1] by margin, in [0, 1] by self-confidence. */
export function labelScore({ classes, given, probabilities }: Judged, row: number, rank: Ranking): number {
  const label = given[row] ?? 0;
  const own = probabilities[row * classes + label] ?? 0;
  if (rank === "self-confidence") return own;
  return own - (probabilities[row * classes + likeliestOther(probabilities, row, classes, label)] ?? 0);
}

/** The likeliest label of a row that is not the given one. */
export function likeliestOther(
  probabilities: Float64Array,
  row: number,
  classes: number,
  given: number,
): number {
  let best = given === 0 ? 1 : 0;
  for (let label = 0; label < classes; label++) {
    if (label === given) continue;
    if ((probabilities[row * classes + label] ?? 0) > (probabilities[row * classes + best] ?? 0))
      best = label;
  }
  return best;
}

function pruned(judged: Judged, joint: ConfidentJoint, method: PruneMethod): ReadonlySet<number> {
  switch (method) {
    case "confident-joint":
      return new Set(
        [...judged.given.keys()].filter((row) => {
          const label = joint.confident[row] ?? -1;
          return label !== -1 && label !== judged.given[row];
        }),
      );
    case "by-class":
      return byClass(judged, joint);
    case "by-noise-rate":
      return byNoiseRate(judged, joint);
    case "both": {
      const other = byNoiseRate(judged, joint);
      return new Set([...byClass(judged, joint)].filter((row) => other.has(row)));
    }
    default:
      return method satisfies never;
  }
}

function byClass(judged: Judged, { joint }: ConfidentJoint): ReadonlySet<number> {
  const { classes, probabilities } = judged;
  const chosen = new Set<number>();
  for (const [label, rows] of rowsByLabel(judged).entries()) {
    let wrong = 0;
    for (let other = 0; other < classes; other++)
      if (other !== label) wrong += joint[label * classes + other] ?? 0;
    const own = (row: number) => probabilities[row * classes + label] ?? 0;
    for (const row of rows.toSorted((a, b) => own(a) - own(b) || a - b).slice(0, Math.round(wrong)))
      chosen.add(row);
  }
  return chosen;
}

function byNoiseRate(judged: Judged, { joint }: ConfidentJoint): ReadonlySet<number> {
  const { classes, probabilities } = judged;
  const chosen = new Set<number>();
  for (const [label, rows] of rowsByLabel(judged).entries()) {
    for (let other = 0; other < classes; other++) {
      const wrong = other === label ? 0 : Math.round(joint[label * classes + other] ?? 0);
      if (wrong === 0) continue;
      const margin = (row: number) =>
        (probabilities[row * classes + other] ?? 0) - (probabilities[row * classes + label] ?? 0);
      for (const row of rows.toSorted((a, b) => margin(b) - margin(a) || a - b).slice(0, wrong))
        chosen.add(row);
    }
  }
  return chosen;
}

function rowsByLabel({ classes, given }: Judged): readonly number[][] {
  const rows: number[][] = Array.from({ length: classes }, () => []);
  for (const [row, label] of given.entries()) rows[label]?.push(row);
  return rows;
}
