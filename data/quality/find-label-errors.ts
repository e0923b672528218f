/**
 * Rows of a text dataset whose label is likely wrong, most suspect first. They are rows to look at: what the fast model
 * behind this cannot tell apart it calls wrong now and then. All splits are judged together, for a wrong label in a test
 * set does the most harm.
 */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import {
  confidentJoint,
  labelScore,
  likeliestOther,
  suspectRows,
  type Judged,
} from "./confident-learning.ts";
import type { LabelledRow } from "./labelled-row.ts";
import { outOfFold } from "./out-of-fold.ts";
import { tokenHash } from "./word-token.ts";

const labelErrorFolds = 10;
/** Above this many rows, or rows times labels, as many are drawn by a hash of the text: the model would take minutes. */
const judgedRowsMost = 50_000;
const judgedCellsMost = 1_000_000;
const excerptUnits = 200;

const suspectSchema = z.strictObject({
  split: storedText,
  file: storedText,
  line: z.int().positive().nullable(),
  text: storedText,
  label: storedText,
  suggested: storedText,
  /** p(label) - p(suggested), in [-1, 1]; the lower, the more suspect. */
  score: z.number().min(-1).max(1),
});
export type Suspect = z.infer<typeof suspectSchema>;

export const labelErrorsSchema = z.strictObject({
  /** Rows judged, of all. */
  judged: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** Share of the judged rows whose given label is the model's own, out of fold. */
  agreement: z.number().min(0).max(1),
  /** Labels that confident learning holds to be wrong, counted. */
  suspects: z.int().nonnegative(),
  /** The first of them, most suspect first. */
  listed: storedList(suspectSchema),
  /** Calibrated rows by given label (outer) and label they likely have (inner). */
  joint: storedList(storedList(z.number().nonnegative())),
});
export type LabelErrors = z.infer<typeof labelErrorsSchema>;

export interface LabelErrorOptions {
  readonly seed?: number;
  /** How many suspects are listed at most. */
  readonly most: number;
}

export function findLabelErrors(
  all: readonly LabelledRow[],
  labels: readonly string[],
  { most, seed = 1 }: LabelErrorOptions,
): LabelErrors {
  const classes = labels.length;
  const rows = drawn(all, Math.min(judgedRowsMost, Math.floor(judgedCellsMost / Math.max(1, classes))));
  if (rows.length < 2 * labelErrorFolds || classes < 2) {
    return { judged: 0, rows: all.length, agreement: 0, suspects: 0, listed: [], joint: [] };
  }
  const given = Int32Array.from(rows, ({ label }) => label);
  const texts = rows.map(({ text }) => text);
  const judged: Judged = {
    given,
    classes,
    probabilities: outOfFold(texts, given, classes, { folds: labelErrorFolds, seed }),
  };
  const suspects = suspectRows(judged, { prune: "both", rank: "margin" });
  const listed = suspects.slice(0, most).flatMap((at): Suspect[] => {
    const row = rows[at];
    if (row === undefined) return [];
    const suggested = likeliestOther(judged.probabilities, at, classes, row.label);
    const text = row.text.length > excerptUnits ? `${row.text.slice(0, excerptUnits)}...` : row.text;
    return [
      {
        split: row.split,
        file: row.file,
        line: row.line,
        text: text.toWellFormed(),
        label: labels[row.label] ?? "",
        suggested: labels[suggested] ?? "",
        score: labelScore(judged, at, "margin"),
      },
    ];
  });
  const { joint } = confidentJoint(judged);
  return {
    judged: rows.length,
    rows: all.length,
    agreement: agreementOf(judged),
    suspects: suspects.length,
    listed,
    joint: labels.map((_, label) => [...joint.subarray(label * classes, (label + 1) * classes)]),
  };
}

function agreementOf(judged: Judged): number {
  let agreed = 0;
  for (let row = 0; row < judged.given.length; row++) if (labelScore(judged, row, "margin") > 0) agreed++;
  return agreed / judged.given.length;
}

function drawn(all: readonly LabelledRow[], most: number): readonly LabelledRow[] {
  if (all.length <= most) return all;
  const bound = (most / all.length) * 2 ** 32;
  return all.filter(({ text }) => tokenHash(text) < bound);
}
