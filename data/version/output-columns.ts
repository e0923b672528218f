/**
 * The columns of a version's file after those that say where a row stands: text and label, or the features and the
 * target, with the SQL that makes them. Labels are numbers in the file; what they stand for is in the manifest.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Declaration } from "../declaration/declaration.ts";
import type { StepOf } from "../declaration/plan-step.ts";
import { featureColumns, fitFeatures } from "../plan/fit-features.ts";
import type { Planned } from "../plan/run-plan.ts";
import { namesOf, unknownCategory, type FrozenFeature } from "../manifest/feature.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { labelOrder } from "./label-order.ts";
import type { LoadedSource } from "../source/load-source.ts";
import { id, lit } from "../engine/sql.ts";
import { keptName } from "../manifest/raw-column.ts";
import type { Column } from "../plan/compile-step.ts";
import { keptColumns } from "../plan/kept-column.ts";
import { largeFeature } from "../plan/large-feature.ts";
import { numberOf } from "../plan/column-number.ts";
import { missingSentence } from "./missing-note.ts";
import { placeColumns, type OutputColumn } from "./write-version.ts";

export interface Output {
  readonly labels: readonly string[] | null;
  readonly features: readonly FrozenFeature[] | null;
  readonly columns: readonly OutputColumn[];
  /** Columns of a table that are kept as they came too; they stand last in `columns`. */
  readonly raw: readonly Column[];
}

const usualFeatures: StepOf<"features"> = {
  step: "features",
  numeric: "none",
  missing: "mean",
  categories: { max: 50 },
  columns: {},
};

export async function outputColumns(
  engine: Engine,
  declaration: Declaration,
  sources: readonly LoadedSource[],
  planned: Planned,
): Promise<Outcome<Output>> {
  const { form } = declaration;
  const { relation } = planned;
  const ordered = planned.isClass ? await labelOrder(engine, declaration, sources, relation) : null;
  if (ordered !== null && !ordered.ok) return ordered;
  if (planned.emptySplit !== null) return refuse("invalid", planned.emptySplit);
  const labels = ordered?.value ?? null;
  const indexed =
    labels === null
      ? null
      : await labelIndex(engine, labels, form.kind === "text" ? form.label : form.target);
  if (form.kind === "text") {
    const text = { name: "text", type: "VARCHAR", sql: id(form.text) };
    const label = { name: "label", type: "INTEGER", sql: indexed ?? "0" };
    return accept({ labels, features: null, columns: [...placeColumns, text, label], raw: [] });
  }
  const step = declaration.plan.find((one) => one.step === "features") ?? usualFeatures;
  const strange = Object.keys(step.columns).find(
    (name) => !planned.features.some((column) => column.name === name),
  );
  if (strange !== undefined)
    return refuse(
      "invalid",
      `features: "${strange}" is none of the features ${planned.features.map(({ name }) => name).join(", ")}`,
    );
  const fitted = await fitFeatures(engine, step, relation, planned.features);
  if (!fitted.ok) return fitted;
  const names = fitted.value.flatMap(namesOf);
  const taken = [...placeColumns.map(({ name }) => name), form.target].map((name) => name.toLowerCase());
  const clash = names.find(
    (name, at) =>
      taken.includes(name.toLowerCase()) ||
      names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== at,
  );
  const unknown = clash === undefined ? null : await unknownSign(engine, declaration, planned, clash);
  if (unknown !== null) return refuse("invalid", unknown);
  if (clash !== undefined)
    return refuse(
      "invalid",
      `features: a column of a version cannot be called "${clash}" here; rename it in the plan`,
    );
  const sql = featureColumns(fitted.value, planned.columns);
  const large = await largeFeature(engine, sources, relation, fitted.value, sql);
  if (large !== null) return refuse("invalid", large);
  const columns = names.map((name, at) => ({ name, type: "FLOAT", sql: sql[at] ?? "0" }));
  const target = {
    name: form.target,
    type: labels === null ? "FLOAT" : "INTEGER",
    sql:
      indexed ??
      numberOf(
        planned.columns.find(({ name }) => name === form.target) ?? { name: form.target, type: "DOUBLE" },
      ),
  };
  const raw = await keptColumns(engine, planned, fitted.value, labels === null ? form.target : null);
  const kept = raw.map(({ name, type }) => ({ name: keptName(name), type, sql: id(name) }));
  return accept({
    labels,
    features: fitted.value,
    columns: [...placeColumns, ...columns, target, ...kept],
    raw,
  });
}

/** What to say where a category has the name that stands for all unknown ones; null where the clash is another. */
async function unknownSign(
  engine: Engine,
  declaration: Declaration,
  { features, relation }: Planned,
  clash: string,
): Promise<string | null> {
  const column = features.find(
    ({ name }) => clash.toLowerCase() === `${name}=${unknownCategory}`.toLowerCase(),
  );
  if (column === undefined) return null;
  const value = `CAST(${id(column.name)} AS VARCHAR)`;
  const [[count, present] = []] = await engine.rows(
    `SELECT count(*) FILTER (WHERE ${value} = ${lit(unknownCategory)}), count(${value}) FROM ${relation}`,
  );
  return Number(count) === 0
    ? null
    : missingSentence(declaration, column.name, Number(count), Number(present), [unknownCategory]);
}

/** SQL for the number of a label. */
async function labelIndex(engine: Engine, labels: readonly string[], column: string): Promise<string> {
  await engine.run("CREATE TABLE label_index (__label VARCHAR, __number INTEGER)");
  const appender = await engine.connection.createAppender("label_index");
  for (const [number, label] of labels.entries()) {
    appender.appendVarchar(label);
    appender.appendInteger(number);
    appender.endRow();
  }
  appender.closeSync();
  return `(SELECT i.__number FROM label_index i WHERE i.__label = CAST(${id(column)} AS VARCHAR))`;
}
