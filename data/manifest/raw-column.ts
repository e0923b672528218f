/**
 * The columns of a version as people know them: as they came where the version keeps that beside what training reads, and
 * otherwise worked back from it: labels by name, features before they were scaled, categories in one column again.
 */
import { id, lit } from "../engine/sql.ts";
import { namesOf, unknownCategory, type FrozenFeature } from "./feature.ts";
import type { Manifest } from "./manifest.ts";

export interface RawColumn {
  readonly name: string;
  readonly kind: "text" | "number" | "category";
}

export type RawExpression = RawColumn & { readonly sql: string };

/** A column of values as they came, beside what the plan made of them. A user's column cannot begin like it. */
export function keptName(column: string): string {
  return `__raw.${column}`;
}

/** Decimal digits that single precision holds for sure. */
const singleDigits = 6;
/** Values lie within so many spreads of the offset, but for a few. */
const spreadsWide = 8;

export function targetColumn(name: string, labels: readonly string[] | null): RawExpression {
  if (labels === null) return { name, kind: "number", sql: shortest(id(name)) };
  return {
    name,
    kind: "category",
    sql: `([${labels.map(lit).join(", ")}])[CAST(${id(name)} AS BIGINT) + 1]`,
  };
}

/** Undoes what freezing did, but for the filling of missing values and for categories that share "?". */
export function rawFeature(feature: FrozenFeature): RawExpression {
  const name = feature.column;
  switch (feature.kind) {
    case "numeric":
      return {
        name,
        kind: "number",
        sql: unscaled(feature),
      };
    case "categories":
      return { name, kind: "category", sql: oneHot(feature, [...feature.values, unknownCategory]) };
    case "buckets":
      return { name, kind: "category", sql: oneHot(feature, bucketNames(feature.bounds)) };
    default:
      return feature satisfies never;
  }
}

/** Features and target as they came, with their types as DuckDB spells them; only of a table. */
export function cameColumns(
  manifest: Manifest,
): readonly { readonly name: string; readonly type: string; readonly sql: string }[] {
  const { features, labels, declaration, raw = [] } = manifest;
  const target = declaration.form.kind === "text" ? declaration.form.label : declaration.form.target;
  const kept = new Map(raw.map((column) => [column.name, column]));
  return [...(features ?? []).map(rawFeature), targetColumn(target, labels)].map(({ kind, name, sql }) => {
    const own = kept.get(name);
    return own === undefined
      ? { name, type: kind === "number" ? "DOUBLE" : "VARCHAR", sql }
      : { name, type: own.type, sql: id(keptName(name)) };
  });
}

/** What the plan makes of a column: `5 columns, one for each value`. */
export function becomes(feature: FrozenFeature, type: string): string {
  const count = namesOf(feature).length;
  switch (feature.kind) {
    case "categories":
      return `${count} columns, one for each value and one for others and none`;
    case "buckets":
      return `${count} columns, one for each range; none counts as ${short(feature.fill)}`;
    case "numeric": {
      const unit = type === "DATE" || type.startsWith("TIMESTAMP") ? "days since 1970" : "a number";
      const scaled =
        feature.scale === "none"
          ? ""
          : `, less ${short(feature.offset)} and times ${short(feature.factor)} (${feature.scale})`;
      return `${unit}${scaled}; none counts as ${short(feature.fill)}`;
    }
    default:
      return feature satisfies never;
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(singleDigits)));
}

/** Versions hold single precision: 0.1 is to be 0.1 again, not 0.10000000149. */
function shortest(column: string): string {
  return `CAST(CAST(CAST(${column} AS FLOAT) AS VARCHAR) AS DOUBLE)`;
}

/** Scaled values have lost their last digits; what is rounded away here is less than what single precision lost. */
function unscaled({ column, factor, offset, scale }: Extract<FrozenFeature, { kind: "numeric" }>): string {
  if (scale === "none") return shortest(id(column));
  const magnitude = Math.max(Math.abs(offset), spreadsWide / Math.abs(factor));
  const decimals = singleDigits - Math.ceil(Math.log10(magnitude));
  return `round(CAST(${id(column)} AS DOUBLE) / CAST('${factor}' AS DOUBLE) + CAST('${offset}' AS DOUBLE), ${decimals})`;
}

function oneHot(feature: FrozenFeature, values: readonly string[]): string {
  const cases = namesOf(feature).map(
    (column, at) => `WHEN CAST(${id(column)} AS DOUBLE) = 1 THEN ${lit(values[at] ?? "")}`,
  );
  return `CASE ${cases.join(" ")} END`;
}

function bucketNames(bounds: readonly number[]): readonly string[] {
  const [first] = bounds;
  if (first === undefined) return ["all"];
  return [
    `up to ${first}`,
    ...bounds.slice(1).map((bound, at) => `${bounds[at] ?? ""} to ${bound}`),
    `above ${bounds.at(-1) ?? ""}`,
  ];
}
