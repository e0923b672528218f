/** The column of a file that a model of texts is to read, where none has the name it had in the dataset. */
import type { Signature } from "../../serving/model/served-model.ts";
import { predictionColumn } from "./prediction-table.ts";
import type { RowBatch } from "./row-source.ts";

/** Of values that are texts, so many have more than one word. */
const wordyShare = 0.5;

/** The column to take for it, or null: the only one there is beside the label, or the only one with sentences in it. */
export function textColumn(
  { inputs, target }: Signature,
  names: readonly string[],
  { columns, count }: RowBatch,
): string | null {
  const [input, ...more] = inputs;
  if (input === undefined || more.length > 0 || input.kind !== "text" || names.includes(input.name))
    return null;
  const others = names.filter((name) => name !== target && name !== predictionColumn);
  if (others.length === 1) return others[0] ?? null;
  const wordy = others.filter((name) => {
    const cells = columns[names.indexOf(name)] ?? [];
    const texts = cells.filter((cell) => typeof cell === "string" && /\S\s+\S/u.test(cell));
    return count > 0 && texts.length > wordyShare * count;
  });
  return wordy.length === 1 ? (wordy[0] ?? null) : null;
}
