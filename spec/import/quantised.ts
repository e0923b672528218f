/** A range that another system draws from by rounding to multiples of its step, which may lie outside its bounds. */
import type { Distribution } from "../../protocol/space.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { figure, noteAt, type ImportReading } from "./import-reading.ts";

export interface QuantisedRange {
  readonly min: number;
  readonly max: number;
  /** The step. */
  readonly q: number;
  readonly log: boolean;
}

/** `whose`: the system, as the note names it. */
export function quantised(
  reading: ImportReading,
  field: Path,
  { log, max, min, q: step }: QuantisedRange,
  whose: string,
): Distribution {
  const first = Math.round(min / step) * step;
  const last = Math.ceil(max / step - 0.5 - 1e-9) * step;
  const misses = Math.abs(first - min) > step * 1e-9;
  if (misses || last > max + step * 1e-9) {
    noteAt(
      reading,
      field,
      `rounded to multiples of ${step} without clipping, as ${whose} does: from ${figure(first)} to ${figure(last)}`,
    );
  }
  return { distribution: "quantised", min, max, step, ...(log ? { log } : {}) };
}
