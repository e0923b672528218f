/**
 * The part of a dataset's plan that what a model reads depends on, worked back from its columns: steps of single rows, each
 * with no more columns than are needed, and the columns of the sources that a row must then have. What chooses among rows
 * (filter, dedupe, sample, balance, split) is never in it, nor what only the label is made of.
 */
import type { Column, RowStep } from "../../data/plan/compile-step.ts";
import type { Step } from "../../data/declaration/plan-step.ts";

export interface Need {
  readonly inputs: readonly Column[];
  /** In the plan's order. */
  readonly steps: readonly RowStep[];
}

export interface NeedOptions {
  readonly plan: readonly Step[];
  /** Columns of the plan's end. */
  readonly outputs: readonly string[];
  /** The column of a source by a name whose letter case does not count, as in DuckDB. */
  readonly inputOf: (name: string) => Column;
  /** The columns that an SQL expression reads. */
  readonly columnsOf: (expression: string) => Promise<readonly string[]>;
}

export async function neededSteps({ columnsOf, inputOf, outputs, plan }: NeedOptions): Promise<Need> {
  const needed = new Names(outputs);
  const steps: RowStep[] = [];
  for (const step of plan.toReversed()) {
    const part = await partOf(step, needed, columnsOf);
    if (part !== null) steps.unshift(part);
  }
  return { steps, inputs: needed.list().map(inputOf) };
}

/** The step as far as it is needed, or null; `needed` becomes what is needed before it. */
async function partOf(
  step: Step,
  needed: Names,
  columnsOf: NeedOptions["columnsOf"],
): Promise<RowStep | null> {
  switch (step.step) {
    case "rename": {
      const pairs = Object.entries(step.columns).filter(([, name]) => needed.has(name));
      for (const [, name] of pairs) needed.delete(name);
      for (const [old] of pairs) needed.add(old);
      return pairs.length === 0 ? null : { ...step, columns: Object.fromEntries(pairs) };
    }
    case "cast": {
      const pairs = Object.entries(step.columns).filter(([name]) => needed.has(name));
      return pairs.length === 0 ? null : { ...step, columns: Object.fromEntries(pairs) };
    }
    case "clean": {
      const columns = step.columns.filter((name) => needed.has(name));
      return columns.length === 0 ? null : { ...step, columns };
    }
    case "concat":
      if (!needed.delete(step.to)) return null;
      for (const name of step.columns) needed.add(name);
      return step;
    case "map-label":
      if (!needed.delete(step.to ?? step.column)) return null;
      needed.add(step.column);
      return step;
    case "derive":
      if (!needed.delete(step.column)) return null;
      for (const name of await columnsOf(step.as)) needed.add(name);
      return step;
    default:
      return null;
  }
}

/** Names of columns: letter case does not tell two apart. */
class Names {
  readonly #names = new Map<string, string>();

  constructor(names: readonly string[]) {
    for (const name of names) this.add(name);
  }

  add(name: string): void {
    if (!this.has(name)) this.#names.set(name.toLowerCase(), name);
  }

  has(name: string): boolean {
    return this.#names.has(name.toLowerCase());
  }

  delete(name: string): boolean {
    return this.#names.delete(name.toLowerCase());
  }

  list(): readonly string[] {
    return [...this.#names.values()];
  }
}
