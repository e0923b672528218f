/** Whether two versions take and give the same, so that one can answer in the other's place without a caller's noticing. */
import type { ServedModel, Signature } from "./served-model.ts";

/** Why the second cannot answer in the first's place and be compared with it, as the end of a sentence about the second; null where it can. */
export function standInFault(first: ServedModel, second: ServedModel): string | null {
  for (const { model, program, tensors, version } of [first, second])
    if (program !== undefined || tensors !== undefined)
      return `${model}@${version} answers with ${program === undefined ? "tensors" : "its program"}, and only versions that answer rows are compared`;
  return signatureDifference(first.signature, second.signature);
}

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
