/**
 * The values of a stepped range and of whole numbers: min, min + step, ... up to max. Where they stand on the axis from 0
 * to 1 is axis.ts; choices and unbounded distributions have no lattice.
 */
import type { Distribution } from "../../protocol/space.ts";

/** A distribution between bounds that keeps within them. */
export type Numeric = Exclude<
  Extract<Distribution, { readonly min: number }>,
  { readonly distribution: "quantised" }
>;

export interface Lattice {
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly count: number;
}

/** Steps are counted from min; whole numbers step by at least one. A range of no width has one value. */
export function latticeOf({ distribution, max, min, step }: Numeric): Lattice | null {
  const whole = distribution === "int" || distribution === "log-int";
  if (!whole && step === undefined) return max > min ? null : { min, max, step: 1, count: 1 };
  const stride = whole ? Math.max(1, Math.round(step ?? 1)) : (step ?? 1);
  return { min, max, step: stride, count: Math.floor((max - min) / stride + 1e-9) + 1 };
}

export function onLattice({ count, max, min, step }: Lattice, index: number): number {
  const inside = Math.min(count - 1, Math.max(0, index));
  const value = min + inside * step;
  // Whole numbers have no dust, and large ones have more digits than would be kept.
  return Math.min(max, Math.max(min, Number.isInteger(value) ? value : tidy(value)));
}

export function indexOn({ count, min, step }: Lattice, value: number): number {
  const index = Math.round((value - min) / step);
  return Number.isFinite(index) ? Math.min(count - 1, Math.max(0, index)) : 0;
}

/** The axis of a logarithmic lattice reaches half a step beyond its first and last value, but never to zero. */
export function logEnds({ max, min }: Numeric, lattice: Lattice | null): readonly [number, number] {
  if (lattice === null) return [Math.log(min), Math.log(max)];
  const half = lattice.step / 2;
  const last = lattice.min + (lattice.count - 1) * lattice.step;
  return [Math.log(Math.max(lattice.min - half, lattice.min / 2)), Math.log(last + half)];
}

/** Takes the binary dust off a multiple of a decimal step: 0.30000000000000004 becomes 0.3. */
export function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
