/**
 * From the rows of a plan to what a version is written of: the rejected rows counted against what may be rejected, labels
 * numbered, features fitted, and what should be said of it all. The same for a build and for a preview of one.
 */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { labelColumn, type Declaration } from "../declaration/declaration.ts";
import type { Engine } from "../engine/sql-engine.ts";
import type { Planned } from "../plan/run-plan.ts";
import type { LoadedSource } from "../source/load-source.ts";
import { labelNotes } from "./label-note.ts";
import { missingNotes } from "./missing-note.ts";
import { outputColumns, type Output } from "./output-columns.ts";
import { rejectedRows, type RejectedRows } from "./rejected-row.ts";

export interface Finished {
  readonly bad: RejectedRows;
  readonly output: Output;
  /** A sentence each, without a full stop. */
  readonly notes: readonly string[];
}

export async function finishPlan(
  engine: Engine,
  declaration: Declaration,
  sources: readonly LoadedSource[],
  planned: Planned,
): Promise<Outcome<Finished>> {
  const bad = await rejectedRows(engine, declaration, sources);
  if (!bad.ok) return bad;
  const output = await outputColumns(engine, declaration, sources, planned);
  if (!output.ok) return output;
  const { labels } = output.value;
  const notes = [
    ...sources.flatMap((source) => source.notes),
    ...labelNotes(labelColumn(declaration), labels ?? [], planned.trimmedLabels),
    ...(await missingNotes(engine, declaration, planned)),
  ];
  return accept({ bad: bad.value, output: output.value, notes });
}
