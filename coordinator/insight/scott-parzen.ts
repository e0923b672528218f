/**
 * A one-dimensional density over the cells of a grid, as PED-ANOVA uses it (Watanabe 2023, section 4): a kernel per
 * observation and one for the prior. The bandwidth is Scott's (1992): a sampler's own would be too wide to see a parameter's effect.
 */
import { normalCumulative } from "../../numeric/normal-law.ts";

/** 90 % of the narrowest kernel lie within one cell. */
const deviationLeast = 0.5 / 1.64;
const priorWeight = 1;

/** `counts`: observations per cell of an axis whose cells stand in order. Sums to 1. */
export function densityOnLine(counts: readonly number[]): readonly number[] {
  const cells = counts.flatMap((count, cell) => (count > 0 ? [{ cell, count }] : []));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const size = counts.length;
  const density = Array.from({ length: size }, () => 0);
  const add = (centre: number, deviation: number, weight: number) => {
    const below = (edge: number) => normalCumulative((edge - centre) / deviation);
    const inside = below(size - 0.5) - below(-0.5);
    for (let cell = 0; cell < size; cell++) {
      const mass = (below(cell + 0.5) - below(cell - 0.5)) / inside;
      density[cell] = (density[cell] ?? 0) + (weight * mass) / (total + priorWeight);
    }
  };
  const deviation = Math.max(deviationLeast, scottDeviation(cells, total));
  for (const { cell, count } of cells) add(cell, deviation, count);
  add((size - 1) / 2, size, priorWeight);
  return density;
}

/** `counts`: observations per value of a choice, whose values stand in no order. Sums to 1. */
export function densityOnChoice(counts: readonly number[]): readonly number[] {
  const size = counts.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const kernels = counts.filter((count) => count > 0).length + 1;
  const spread = priorWeight / kernels;
  const rowSum = 1 + size * spread;
  return counts.map(
    (count) =>
      // Every observation's kernel gives its own value 1 more than the others; the prior's gives all the same.
      (count * ((1 + spread) / rowSum) + (total - count) * (spread / rowSum) + priorWeight / size) /
      (total + priorWeight),
  );
}

interface Counted {
  readonly cell: number;
  readonly count: number;
}

function scottDeviation(cells: readonly Counted[], total: number): number {
  const mean = cells.reduce((sum, { cell, count }) => sum + cell * count, 0) / total;
  const squares = cells.reduce((sum, { cell, count }) => sum + count * (cell - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, total - 1));
  const first = cellAfter(cells, Math.floor(total / 4), false);
  const third = cellAfter(cells, Math.floor((total * 3) / 4), true);
  return 1.059 * Math.min((third - first) / 1.34, deviation) * total ** -0.2;
}

/** The first cell with at least (or, `beyond`, more than) so many observations up to it; the last where none has. */
function cellAfter(cells: readonly Counted[], observations: number, beyond: boolean): number {
  let seen = 0;
  for (const { cell, count } of cells) {
    seen += count;
    if (beyond ? seen > observations : seen >= observations) return cell;
  }
  return cells.at(-1)?.cell ?? 0;
}
