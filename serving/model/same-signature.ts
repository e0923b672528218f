/** Whether two versions take and give the same, so that one can answer in the other's place without a caller's noticing. */
import type { Signature } from "./served-model.ts";

/** What differs, as the end of a sentence about the second; null where nothing does. */
export function signatureDifference(first: Signature, second: Signature): string | null {
  const shown = ({ inputs }: Signature) =>
    inputs.map(({ kind, name, optional }) => `${name} (${kind}${optional ? ", optional" : ""})`).join(", ");
  // Columns are found by name, so their order means nothing; the order of labels is that of the probabilities.
  const sorted = (one: Signature) => ({
    ...one,
    inputs: one.inputs.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  });
  if (shown(sorted(first)) !== shown(sorted(second)))
    return `it takes ${shown(second)} instead of ${shown(first)}`;
  const labels = ({ labels: all }: Signature) => (all === null ? "numbers" : `the labels ${all.join(", ")}`);
  return JSON.stringify(first.labels) === JSON.stringify(second.labels)
    ? null
    : `it gives ${labels(second)} instead of ${labels(first)}`;
}
