/** A row of the data that a version was trained on as the version is asked it: a value for each of its inputs, as far as the data has them. */
import { textColumn, type CameSample } from "../../data/profile/came-sample.ts";
import type { Value } from "../../protocol/value.ts";
import type { InputColumn } from "../../serving/model/served-model.ts";

/** In the order of the inputs; a text that is put together of several stands in the first of them. */
export function cameRow(
  inputs: readonly InputColumn[],
  { columns }: CameSample,
  at: number,
): readonly (Value | null)[] {
  return inputs.map(({ kind, name }, input) => {
    const own = columns.get(name) ?? (input === 0 ? columns.get(textColumn) : undefined);
    const value = own?.[at] ?? null;
    if (value === null) return null;
    return kind === "number" ? numberOf(value) : String(value);
  });
}

function numberOf(value: string | number): number | null {
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
