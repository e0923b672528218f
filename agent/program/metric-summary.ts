/**
 * What wandb's `define_metric(name, summary=…)` makes of the values that are logged: `loss.min` and the like, beside `loss`. It
 * keeps no values, and judges none.
 */
import type { Report } from "./metric-report.ts";

type Way = (before: number, value: number, count: number) => number;

/** By wandb's words. `none`, `copy` and what it does not know give no figure of their own. */
const ways: Readonly<Record<string, Way>> = {
  min: (before, value) => Math.min(before, value),
  max: (before, value) => Math.max(before, value),
  mean: (before, value, count) => before + (value - before) / count,
  first: (before) => before,
  last: (_, value) => value,
};

export interface DefinedMetric {
  /** May end in `*`, for all names that begin so. */
  readonly name: string;
  readonly ways: readonly string[];
  /** What `best` means. */
  readonly goal: "minimize" | "maximize";
}

interface Figure {
  count: number;
  value: number;
}

/** A run's definitions, and the names that they have given figures. */
const definedMax = 500;
const figuresMax = 500;

export class MetricSummary {
  readonly #defined = new Map<string, DefinedMetric>();
  readonly #figures = new Map<string, Figure>();

  /** A later definition of the same name goes before an earlier one. */
  define(defined: DefinedMetric): void {
    if (this.#defined.size < definedMax || this.#defined.has(defined.name))
      this.#defined.set(defined.name, defined);
  }

  /** The figures that a value of this name changes. What is not finite changes none. */
  take({ metric, value }: Report): readonly Report[] {
    const defined = this.#definitionOf(metric);
    if (defined === null || !Number.isFinite(value)) return [];
    return defined.ways.flatMap((word) => {
      const name = word === "best" ? (defined.goal === "maximize" ? "max" : "min") : word;
      const way = Object.hasOwn(ways, name) ? ways[name] : undefined;
      const figure = way === undefined ? null : this.#figure(`${metric}.${word}`, value, way);
      return figure === null ? [] : [{ metric: `${metric}.${word}`, value: figure }];
    });
  }

  #definitionOf(metric: string): DefinedMetric | null {
    const exact = this.#defined.get(metric);
    if (exact !== undefined) return exact;
    for (const defined of this.#defined.values())
      if (defined.name.endsWith("*") && metric.startsWith(defined.name.slice(0, -1))) return defined;
    return null;
  }

  #figure(name: string, value: number, way: Way): number | null {
    const known = this.#figures.get(name);
    if (known === undefined) {
      if (this.#figures.size >= figuresMax) return null;
      this.#figures.set(name, { count: 1, value });
      return value;
    }
    known.count++;
    known.value = way(known.value, value, known.count);
    return known.value;
  }
}
