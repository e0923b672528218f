/** Pearson's chi-square of independence over a table of counts, as `scipy.stats.chi2_contingency`. */
import { chiSquareTail } from "../../numeric/gamma.ts";
import { sumOf } from "../../numeric/moment.ts";

export interface ChiSquare {
  readonly statistic: number;
  readonly freedom: number;
  readonly pValue: number;
}

/**
 * [rows][columns] of counts; rows and columns without any count are left out, as they say nothing. `correction` is Yates',
 * for one degree of freedom only. Fewer than two rows or columns: 0 degrees, p 1.
 */
export function chiSquare(table: readonly (readonly number[])[], correction: boolean): ChiSquare {
  const columnSums = (table[0] ?? []).map((_, column) =>
    table.reduce((sum, row) => sum + (row[column] ?? 0), 0),
  );
  const columns = [...columnSums.keys()].filter((column) => (columnSums[column] ?? 0) > 0);
  const rows = table.map((row) => columns.map((column) => row[column] ?? 0)).filter((row) => sumOf(row) > 0);
  const freedom = (rows.length - 1) * (columns.length - 1);
  if (freedom <= 0) return { statistic: 0, freedom: 0, pValue: 1 };
  const total = sumOf(columnSums);
  let statistic = 0;
  for (const row of rows) {
    const rowSum = sumOf(row);
    for (const [at, column] of columns.entries()) {
      const expected = (rowSum * (columnSums[column] ?? 0)) / total;
      let apart = Math.abs((row[at] ?? 0) - expected);
      if (correction && freedom === 1) apart -= Math.min(0.5, apart);
      statistic += (apart * apart) / expected;
    }
  }
  return { statistic, freedom, pValue: chiSquareTail(statistic, freedom) };
}
