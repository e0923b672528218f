/**
 * Fits the features of a table on its training split and gives the SQL that applies them. Sums are made in the order of
 * the rows, so that they are the same to the last bit whatever the number of threads.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { id, lit } from "../engine/sql.ts";
import type { FeatureOptions, StepOf } from "../declaration/plan-step.ts";
import type { FrozenFeature } from "../manifest/feature.ts";
import { namesOf } from "../manifest/feature.ts";
import { numberOf } from "./column-number.ts";
import type { Column } from "./compile-step.ts";

type Options = StepOf<"features">;

/** `from` has __split and the columns; `columns` are those to make features of. */
export async function fitFeatures(
  engine: Engine,
  options: Options,
  from: string,
  columns: readonly Column[],
): Promise<Outcome<readonly FrozenFeature[]>> {
  const train = `(SELECT * FROM ${from} WHERE __split = 'train')`;
  const numeric = columns.filter(
    (column) => featureKind(column, options.columns[column.name]) !== "categories",
  );
  const moments = await momentsOf(engine, train, numeric);
  const frozen: FrozenFeature[] = [];
  for (const column of columns) {
    const own = options.columns[column.name] ?? {};
    const kind = featureKind(column, own);
    if (kind === "categories") {
      if (own.buckets !== undefined || own.scale !== undefined)
        return refuse(
          "invalid",
          `features: column "${column.name}" is text and has no ${own.buckets === undefined ? "scale" : "buckets"}; cast it to number first`,
        );
      const max = own.categories?.max ?? options.categories.max;
      const values = await engine.rows(
        `SELECT CAST(${id(column.name)} AS VARCHAR) AS v FROM ${train} WHERE v IS NOT NULL GROUP BY v ORDER BY count(*) DESC, v LIMIT ${max}`,
      );
      frozen.push({ kind, column: column.name, values: values.map(([value]) => String(value)) });
      continue;
    }
    const moment = moments.get(column.name);
    if (moment === undefined || moment.count === 0)
      return refuse(
        "invalid",
        `features: column "${column.name}" has no value in the training split; leave it out`,
      );
    const fill = await fillOf(engine, train, column, own.missing ?? options.missing, moment);
    if (kind === "buckets") {
      const steps = Array.from(
        { length: (own.buckets ?? 2) - 1 },
        (_, index) => (index + 1) / (own.buckets ?? 2),
      );
      const [[bounds] = []] = await engine.rows(
        `SELECT CAST(quantile_disc(${numberOf(column)}, [${steps.join(", ")}]) AS DOUBLE[])::VARCHAR FROM ${train}`,
      );
      const numbers = String(bounds).slice(1, -1).split(",").map(Number);
      frozen.push({ kind, column: column.name, fill, bounds: [...new Set(numbers)] });
      continue;
    }
    const scale = own.scale ?? options.numeric;
    const range = moment.max - moment.min;
    const offset = scale === "standard" ? moment.mean : scale === "minmax" ? moment.min : 0;
    const width = scale === "standard" ? moment.deviation : scale === "minmax" ? range : 1;
    frozen.push({ kind, column: column.name, scale, fill, offset, factor: width > 0 ? 1 / width : 1 });
  }
  return accept(frozen);
}

/** SQL for each number, in the order of `namesOf`. */
export function featureColumns(features: readonly FrozenFeature[], columns: readonly Column[]): string[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  return features.flatMap((feature) => {
    const column = byName.get(feature.column) ?? { name: feature.column, type: "DOUBLE" };
    switch (feature.kind) {
      case "numeric": {
        const value = `coalesce(${numberOf(column)}, ${exact(feature.fill)})`;
        return [`(${value} - ${exact(feature.offset)}) * ${exact(feature.factor)}`];
      }
      case "categories": {
        const value = `CAST(${id(column.name)} AS VARCHAR)`;
        const known = feature.values.map(lit).join(", ");
        const other = known === "" ? "true" : `${value} IS NULL OR ${value} NOT IN (${known})`;
        return [...feature.values.map((one) => `coalesce(${value} = ${lit(one)}, false)`), other];
      }
      case "buckets": {
        const value = `coalesce(${numberOf(column)}, ${exact(feature.fill)})`;
        return namesOf(feature).map((_, index) => {
          const [low, high] = [feature.bounds[index - 1], feature.bounds[index]];
          const above = low === undefined ? "true" : `${value} > ${exact(low)}`;
          return `${above} AND ${high === undefined ? "true" : `${value} <= ${exact(high)}`}`;
        });
      }
    }
  });
}

/** What becomes of a column. */
export function featureKind(column: Column, own: FeatureOptions | undefined): FrozenFeature["kind"] {
  if (own?.categories !== undefined || column.type === "VARCHAR") return "categories";
  return own?.buckets === undefined ? "numeric" : "buckets";
}

/** A number that DuckDB reads back as the same double. */
function exact(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}

interface Moment {
  readonly count: number;
  readonly mean: number;
  /** Of the population. */
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
}

/** Welford's method (1962) over the rows in their order. */
async function momentsOf(
  engine: Engine,
  train: string,
  columns: readonly Column[],
): Promise<ReadonlyMap<string, Moment>> {
  if (columns.length === 0) return new Map();
  const sums = columns.map(() => ({
    count: 0,
    mean: 0,
    squares: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  }));
  const result = await engine.connection.stream(
    `SELECT ${columns.map(numberOf).join(", ")} FROM ${train} ORDER BY __file, __line`,
  );
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    for (const [index, sum] of sums.entries()) {
      for (const value of chunk.getColumnValues(index)) {
        if (typeof value !== "number") continue;
        sum.count++;
        const delta = value - sum.mean;
        sum.mean += delta / sum.count;
        sum.squares += delta * (value - sum.mean);
        if (value < sum.min) sum.min = value;
        if (value > sum.max) sum.max = value;
      }
    }
  }
  return new Map(
    columns.map((column, index) => {
      const { count = 0, mean = 0, squares = 0, min = 0, max = 0 } = sums[index] ?? {};
      return [column.name, { count, mean, min, max, deviation: Math.sqrt(squares / Math.max(1, count)) }];
    }),
  );
}

async function fillOf(
  engine: Engine,
  train: string,
  column: Column,
  missing: Options["missing"],
  moment: Moment,
): Promise<number> {
  if (missing === "zero") return 0;
  if (missing === "mean") return moment.mean;
  return engine.count(`SELECT quantile_disc(${numberOf(column)}, 0.5) FROM ${train}`);
}
