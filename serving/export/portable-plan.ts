/**
 * The steps of a data set's plan that the rows of a request go through, as another language can follow them: those that
 * change a column the model reads, from the columns that people give. A column made by SQL cannot be made elsewhere: it is
 * asked for as it comes out of that step, and what makes it is said.
 */
import type { Step, StepOf } from "../../data/declaration/plan-step.ts";

export type PortableStep =
  | Pick<StepOf<"rename">, "step" | "columns">
  | Pick<StepOf<"concat">, "step" | "columns" | "to" | "separator">
  | StepOf<"clean">;

export interface PortablePlan {
  /** In the order in which they are done. */
  readonly steps: readonly PortableStep[];
  /** Columns that a row is to have, for each the columns of the model's that come of it. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  /** Sentences on columns that are to be given as made. */
  readonly notes: readonly string[];
}

/** `read`: columns that the model reads, behind the plan's last step. */
export function portablePlan(plan: readonly Step[], read: readonly string[]): PortablePlan {
  // From the last step to the first: `wanted` has the columns that are needed behind the steps not yet looked at.
  let wanted = new Map(read.map((column): [string, readonly string[]] => [column, [column]]));
  const given = new Map<string, readonly string[]>();
  const steps: PortableStep[] = [];
  const notes: string[] = [];
  for (const step of plan.toReversed()) {
    if (step.step === "rename") {
      const columns = Object.entries(step.columns).filter(([, name]) => wanted.has(name));
      if (columns.length === 0) continue;
      steps.push({ step: "rename", columns: Object.fromEntries(columns) });
      const before = new Map(columns.map(([old, name]) => [name, old]));
      wanted = new Map([...wanted].map(([name, ends]) => [before.get(name) ?? name, ends]));
    } else if (step.step === "clean") {
      const columns = step.columns.filter((column) => wanted.has(column));
      if (columns.length > 0) steps.push({ ...step, columns });
    } else if (step.step === "concat") {
      const ends = wanted.get(step.to);
      if (ends === undefined) continue;
      steps.push({ step: "concat", columns: step.columns, to: step.to, separator: step.separator });
      wanted.delete(step.to);
      for (const column of step.columns) add(wanted, column, ends);
    } else if (step.step === "derive" || step.step === "map-label") {
      const column = step.step === "derive" ? step.column : (step.to ?? step.column);
      const ends = wanted.get(column);
      if (ends === undefined) continue;
      wanted.delete(column);
      add(given, column, ends);
      const how = step.step === "derive" ? `the SQL expression ${step.as}` : "a map of labels";
      notes.push(`Column "${column}" is made by ${how}; give it as made.`);
    }
  }
  const inputs = new Map(given);
  for (const [column, ends] of wanted) add(inputs, column, ends);
  return { steps: steps.toReversed(), inputs, notes: notes.toReversed() };
}

function add(to: Map<string, readonly string[]>, column: string, ends: readonly string[]): void {
  to.set(column, [...new Set([...(to.get(column) ?? []), ...ends])]);
}
