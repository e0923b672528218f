/**
 * A block of rows of a file, answered by a model with a data set's transformation or by one without: each row that does not fit is noted, and the
 * others are answered. A model that a program made takes rows by their columns' names, or in their order where they are as many as it takes.
 */
import { namedList } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import type { Answers, InputColumn, InputRows, ServedModel } from "../../serving/model/served-model.ts";
import type { TransformedRows, UnfitRow } from "../../serving/transform/transform.ts";

export interface AnsweredBatch {
  /** What stands at the places of unfit rows means nothing. */
  readonly answers: Answers;
  readonly unfit: readonly UnfitRow[];
  /** Null of a model without a transformation. */
  readonly transformed: TransformedRows | null;
}

export async function answerBatch(
  model: OpenedModel | ServedModel,
  rows: InputRows,
): Promise<Outcome<AnsweredBatch>> {
  if (!("transform" in model)) return answerFit(model, rows);
  const transformed = await model.transform.apply(rows);
  if (!transformed.ok) return transformed;
  const answers = model.predict(transformed.value);
  return accept({ answers, unfit: transformed.value.unfit, transformed: transformed.value });
}

async function answerFit(model: ServedModel, rows: InputRows): Promise<Outcome<AnsweredBatch>> {
  const { inputs, labels } = model.signature;
  const columns = columnsFor(inputs, rows);
  if (!columns.ok) return columns;
  const unfit: UnfitRow[] = [];
  const fit: number[] = [];
  for (let row = 0; row < rows.count; row++) {
    const fault = faultOf(inputs, columns.value, row);
    if (fault === null) fit.push(row);
    else unfit.push(fault);
  }
  const width = labels?.length ?? 1;
  const all = new Float32Array(rows.count * width);
  if (fit.length > 0) {
    const kept = columns.value.map((column, at) =>
      fit.map((row) => numberOf(inputs[at], column[row] ?? null)),
    );
    const given = new Map(inputs.map(({ name }, at) => [name, kept[at] ?? []]));
    const answered = await model.answer({ count: fit.length, columns: given });
    if (!answered.ok) return answered;
    const numbers = answered.value.kind === "labels" ? answered.value.probabilities : answered.value.values;
    fit.forEach((row, at) => all.set(numbers.subarray(at * width, (at + 1) * width), row * width));
  }
  const answers: Answers =
    labels === null ? { kind: "values", values: all } : { kind: "labels", probabilities: all };
  return accept({ answers, unfit, transformed: null });
}

type Cells = readonly (Value | null)[];

function columnsFor(inputs: readonly InputColumn[], { columns }: InputRows): Outcome<readonly Cells[]> {
  const named = inputs.map(({ name }) => columns.get(name));
  // A text may be put together of several columns, of which one is enough; any other that is missing altogether may be misspelt.
  const missing = inputs
    .filter(({ kind, optional }, at) => named[at] === undefined && !(optional && kind === "text"))
    .map(({ name }) => name);
  const found = named.filter((column) => column !== undefined).length;
  if (found > 0 && missing.length === 0) return accept(named.map((column) => column ?? []));
  if (found === 0 && columns.size === inputs.length) return accept([...columns.values()]);
  return refuse(
    "invalid",
    `it has no column ${namedList(missing)}; the model takes ${namedList(inputs.map(({ name }) => name))}, or as many columns (${inputs.length}) in its order and no others`,
  );
}

function faultOf(inputs: readonly InputColumn[], columns: readonly Cells[], row: number): UnfitRow | null {
  for (const [at, input] of inputs.entries()) {
    const value = columns[at]?.[row] ?? null;
    const fault = (reason: string): UnfitRow => ({
      ...{ row, column: input.name, reason },
      value: value === null ? null : String(value),
    });
    if (value === null || value === "") {
      if (!input.optional) return fault("it has no value");
    } else if (input.kind === "number" && numberOf(input, value) === null) return fault("it is no number");
  }
  return null;
}

/** As the model takes it; null where it is no number. */
function numberOf(input: InputColumn | undefined, value: Value | null): Value | null {
  if (value === null || input === undefined) return null;
  if (input.kind !== "number") return String(value);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "string" || (typeof number === "number" && !Number.isFinite(number))
    ? null
    : number;
}
