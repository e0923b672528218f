/**
 * The steps of a data set's plan that the rows of a request go through, as another language can follow them: those that
 * change a column the model reads, from the columns that people give. What only DuckDB can make (SQL, a fraction or a date as
 * text) is asked for as it comes out of that step, and what makes it is said.
 */
import type { Step, StepOf } from "../../data/declaration/plan-step.ts";
import type { ColumnType } from "../../data/declaration/source.ts";

export type PortableStep =
  | Pick<StepOf<"rename">, "step" | "columns">
  | Pick<StepOf<"concat">, "step" | "columns" | "to" | "separator">
  | (Pick<StepOf<"map-label">, "step" | "column" | "map" | "unknown"> & { readonly to: string })
  | StepOf<"clean">;

export interface PortablePlan {
  /** In the order in which they are done. */
  readonly steps: readonly PortableStep[];
  /** Columns that a row is to have, for each the columns of the model's that come of it. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  /** Those of them that are to be given as a step makes them. */
  readonly made: ReadonlySet<string>;
  /** Sentences on those. */
  readonly notes: readonly string[];
}

/** `read`: columns that the model reads, behind the plan's last step. `typeOf`: of a column of the sources. */
export function portablePlan(
  plan: readonly Step[],
  read: readonly string[],
  typeOf: (column: string) => ColumnType,
): PortablePlan {
  const opaque = new Set<Step>();
  for (;;) {
    const worked = workBack(plan, read, opaque);
    const odd = oddStep(worked, typeOf);
    if (odd === null) return worked;
    opaque.add(odd);
  }
}

interface Worked extends PortablePlan {
  /** The plan's own step of each. */
  readonly sources: readonly Step[];
}

/** From the last step to the first; `opaque` steps cannot be done elsewhere. */
function workBack(plan: readonly Step[], read: readonly string[], opaque: ReadonlySet<Step>): Worked {
  // What is needed behind the steps not yet looked at.
  let wanted = new Map(read.map((column): [string, readonly string[]] => [column, [column]]));
  const given = new Map<string, readonly string[]>();
  const steps: PortableStep[] = [];
  const sources: Step[] = [];
  const notes: string[] = [];
  const keep = (step: PortableStep, source: Step) => {
    steps.push(step);
    sources.push(source);
  };
  for (const step of plan.toReversed()) {
    const made = madeBy(step).filter((column) => wanted.has(column));
    if (made.length === 0) continue;
    if (step.step === "derive" || opaque.has(step)) {
      for (const column of made) {
        add(given, column, wanted.get(column) ?? []);
        wanted.delete(column);
        notes.push(noteOf(step, column));
      }
    } else if (step.step === "rename") {
      const columns = Object.entries(step.columns).filter(([, name]) => wanted.has(name));
      keep({ step: "rename", columns: Object.fromEntries(columns) }, step);
      const before = new Map(columns.map(([old, name]) => [name, old]));
      wanted = new Map([...wanted].map(([name, ends]) => [before.get(name) ?? name, ends]));
    } else if (step.step === "clean") {
      keep({ ...step, columns: made }, step);
    } else if (step.step === "concat" || step.step === "map-label") {
      const { from, portable, to } = fromAndTo(step);
      const ends = wanted.get(to) ?? [];
      keep(portable, step);
      wanted.delete(to);
      for (const column of from) add(wanted, column, ends);
    }
  }
  const inputs = new Map(given);
  for (const [column, ends] of wanted) add(inputs, column, ends);
  return {
    steps: steps.toReversed(),
    sources: sources.toReversed(),
    inputs,
    made: new Set(given.keys()),
    notes: notes.toReversed(),
  };
}

function fromAndTo(step: StepOf<"concat"> | StepOf<"map-label">): {
  readonly from: readonly string[];
  readonly to: string;
  readonly portable: PortableStep;
} {
  if (step.step === "concat") {
    const { columns, separator, to } = step;
    return { from: columns, to, portable: { step: "concat", columns, to, separator } };
  }
  const { column, map, to = column, unknown } = step;
  return { from: [column], to, portable: { step: "map-label", column, to, map, unknown } };
}

/** Columns that a step changes; none where it only chooses among rows, or says how a column is read. */
function madeBy(step: Step): readonly string[] {
  switch (step.step) {
    case "rename":
      return Object.values(step.columns);
    case "clean":
      return step.columns;
    case "concat":
      return [step.to];
    case "map-label":
      return [step.to ?? step.column];
    case "derive":
      return [step.column];
    default:
      return [];
  }
}

function noteOf(step: Step, column: string): string {
  const how =
    step.step === "derive"
      ? `by the SQL expression ${step.as}`
      : `by the step ${step.step} out of numbers or dates, written as DuckDB writes them`;
  return `Column "${column}" is made ${how}; give it as made.`;
}

function add(to: Map<string, readonly string[]>, column: string, ends: readonly string[]): void {
  to.set(column, [...new Set([...(to.get(column) ?? []), ...ends])]);
}

/** A step that makes a text of something that each language writes in a way of its own. */
function oddStep(
  { inputs, made, sources, steps }: Worked,
  typeOf: (column: string) => ColumnType,
): Step | null {
  const types = new Map(
    [...inputs.keys()].map((column): [string, ColumnType] => [
      column,
      made.has(column) ? "text" : typeOf(column),
    ]),
  );
  for (const [at, step] of steps.entries()) {
    if (step.step === "rename") {
      const moved = Object.entries(step.columns).map(([old, name]) => [old, name, types.get(old)] as const);
      for (const [old] of moved) types.delete(old);
      for (const [, name, type] of moved) if (type !== undefined) types.set(name, type);
      continue;
    }
    const from = step.step === "map-label" ? [step.column] : step.columns;
    if (from.some((column) => !isPlainText(types.get(column) ?? "text"))) return sources[at] ?? null;
    for (const column of step.step === "clean" ? step.columns : [step.to]) types.set(column, "text");
  }
  return null;
}

function isPlainText(type: ColumnType): boolean {
  return type === "text" || type === "integer" || type === "boolean";
}
