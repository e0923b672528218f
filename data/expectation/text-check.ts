/** Expectations about texts as a whole: the same text in two splits, under two labels, labels that are likely wrong. */
import { exactPercent } from "../../text/figure.ts";
import { findLabelErrors } from "../quality/find-label-errors.ts";
import type { LabelledRow } from "../quality/labelled-row.ts";
import { normaliseText } from "../row/split.ts";
import { type ExpectationOf } from "./expectation.ts";
import type { FailingRow } from "./expectation-report.ts";
import { examplesMost, foundOf, shortValue, type Found } from "./row-check.ts";

/** Held-out rows whose text is trained on fail. */
export function checkLeakage(rows: readonly LabelledRow[], { mostly }: ExpectationOf<"no-leakage">): Found {
  const trained = new Set(
    rows.filter(({ split }) => split === "train").map(({ text }) => normaliseText(text)),
  );
  const held = rows.filter(({ split }) => split !== "train");
  const failing = held.filter(({ text }) => trained.has(normaliseText(text)));
  return foundOf(held.length, failing.length, mostly, examplesOf(failing));
}

/** All rows of a text fail that stands under more than one label. */
export function checkConflicts(
  rows: readonly LabelledRow[],
  labels: readonly string[],
  { mostly }: ExpectationOf<"no-conflicts">,
): Found {
  const first = new Map<string, number>();
  const torn = new Set<string>();
  for (const { label, text } of rows) {
    const key = normaliseText(text);
    const before = first.get(key);
    if (before === undefined) first.set(key, label);
    else if (before !== label) torn.add(key);
  }
  const failing = rows.filter(({ text }) => torn.has(normaliseText(text)));
  const examples = failing
    .toSorted((a, b) => (normaliseText(a.text) < normaliseText(b.text) ? -1 : 1))
    .map((row) => ({ ...row, text: `${labels[row.label] ?? ""}: ${row.text}` }));
  return foundOf(rows.length, failing.length, mostly, examplesOf(examples));
}

export function checkLabelErrors(
  rows: readonly LabelledRow[],
  labels: readonly string[],
  { max }: ExpectationOf<"label-errors">,
): Found {
  const { judged, listed, suspects } = findLabelErrors(rows, labels, { most: examplesMost });
  const share = judged === 0 ? 0 : suspects / judged;
  return {
    passed: share <= max,
    found:
      judged === 0
        ? "too few rows or labels to judge"
        : `${suspects} of ${judged} labels are likely wrong, ${exactPercent(Number(share.toPrecision(3)))}`,
    rows: judged,
    failing: suspects,
    examples: listed.map(({ file, label, line, split, suggested, text }) => ({
      split,
      file,
      line,
      value: shortValue(`${label}, perhaps ${suggested}: ${text}`),
    })),
  };
}

function examplesOf(rows: readonly LabelledRow[]): FailingRow[] {
  return rows
    .slice(0, examplesMost)
    .map(({ file, line, split, text }) => ({ split, file, line, value: shortValue(text) }));
}
