/**
 * All rows that a build rejected, those of the scan and those of the plan: counted, the first of them listed. More than
 * the declaration allows are a refusal.
 */
import { exactPercent } from "../../text/figure.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Declaration } from "../declaration/declaration.ts";
import { badRowsShown, describeBadRow, type BadRow } from "../row/bad-row.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { badRowOf, type LoadedSource } from "../source/load-source.ts";

export interface RejectedRows {
  readonly count: number;
  /** With whole paths beside the base names in the rows. */
  readonly first: readonly { readonly path: string; readonly row: BadRow }[];
}

export async function rejectedRows(
  engine: Engine,
  declaration: Declaration,
  sources: readonly LoadedSource[],
): Promise<Outcome<RejectedRows>> {
  const scanned = sources.reduce((sum, source) => sum + source.badCount, 0);
  const count = scanned + (await engine.count("SELECT count(*) FROM bad_row"));
  const marked = await engine.rows(
    `SELECT __file, __line, nullif(__column, ''), __value, __reason FROM bad_row ORDER BY __file, __line LIMIT ${badRowsShown}`,
  );
  const first = [
    ...sources.flatMap((source, file) => source.bad.map((row) => ({ file, row }))),
    ...marked.map(([file, ...row]) => ({
      file: Number(file),
      row: badRowOf(sources[Number(file)]?.name ?? "", row),
    })),
  ]
    .toSorted((a, b) => a.file - b.file || a.row.line - b.row.line)
    .slice(0, badRowsShown)
    .map(({ file, row }) => ({ path: sources[file]?.path ?? "", row }));
  const total = sources.reduce((sum, source) => sum + source.rows + source.badCount, 0);
  const { max } = declaration.badRows;
  const [one] = first;
  if (count > max * total && one !== undefined)
    return refuse(
      "invalid",
      `${one.path}, ${describeBadRow(one.row)}; ${count} of ${total} rows are bad, and at most ${exactPercent(max)} may be`,
    );
  return accept({ count, first });
}
