/** The manifest of a version that is about to be written, of what its build found out. Counts rows; writes nothing. */
import { columnsUsed } from "../declaration/columns-used.ts";
import { placeless, type Declaration } from "../declaration/declaration.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { buildVersion, type Manifest } from "../manifest/manifest.ts";
import { columnsOf } from "../plan/columns-of.ts";
import type { Planned } from "../plan/run-plan.ts";
import type { LoadedSource } from "../source/load-source.ts";
import type { Output } from "./output-columns.ts";
import type { RejectedRows } from "./rejected-row.ts";

interface Made {
  readonly declaration: Declaration;
  readonly sources: readonly LoadedSource[];
  readonly planned: Planned;
  readonly bad: RejectedRows;
  readonly output: Output;
}

export async function manifestOf(
  engine: Engine,
  { bad, declaration, output, planned, sources }: Made,
): Promise<Manifest> {
  const { leakedRows, leaks, nearGroups, relation, trimmedLabels } = planned;
  const { columns, features, labels, raw } = output;
  const nameOf = (file: number) => sources[file]?.name ?? "";
  const rows = await engine.rows(`SELECT __split, count(*) FROM ${relation} GROUP BY 1`);
  const counts = new Map(rows.map(([split, count]) => [String(split), Number(count)]));
  const rowsIn = (split: string) => counts.get(split) ?? 0;
  const used = columnsUsed(declaration);
  const loaded = await columnsOf(engine, "step_0");
  const inputs = loaded.filter(({ name }) => used?.has(name.toLowerCase()) ?? true);
  const [[duckdb] = []] = await engine.rows("SELECT version()");
  return {
    format: "trialmesh-dataset",
    build: buildVersion,
    duckdb: String(duckdb),
    name: declaration.name,
    declaration: placeless(declaration),
    sources: sources.map(({ badCount, bytes, digest, latin1Lines, name, rows: good }) => ({
      name,
      digest,
      bytes,
      rows: good + badCount,
      latin1Lines,
    })),
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: { train: rowsIn("train"), validation: rowsIn("validation"), test: rowsIn("test") },
    labels: labels === null ? null : [...labels],
    ...(trimmedLabels === 0 ? {} : { trimmedLabels }),
    ...(raw.length === 0 ? {} : { raw: raw.map(({ name, type }) => ({ name, type })) }),
    inputs: inputs.map(({ name, type }) => ({ name, type })),
    features: features === null ? null : [...features],
    bad: { count: bad.count, first: bad.first.map(({ row }) => row) },
    leakedRows,
    leaks: leaks.map(({ file, heldFile, heldLine, heldSplit, line }) => ({
      source: nameOf(file),
      line,
      heldSplit,
      heldSource: nameOf(heldFile),
      heldLine,
    })),
    nearGroups,
  };
}
