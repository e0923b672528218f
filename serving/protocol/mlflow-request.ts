/**
 * MLflow's scoring protocol, `POST /invocations`: JSON with exactly one of dataframe_split, dataframe_records, inputs and instances, or
 * CSV with a line of names. Columns that the model does not take are passed over, as MLflow does with those that a signature does
 * not have. Parquet is read by `server/parquet-body.ts`.
 */
import { isUtf8 } from "node:buffer";
import * as z from "zod";
import { anyValue, listOf, manyEntriesMax, recordOf, sentenceText, shortText } from "../../protocol/bound.ts";
import { parseOutside } from "../../protocol/refusal.ts";
import type { Answers } from "../model/served-model.ts";
import { fitColumns, fitLists, fitRecords } from "./asked-columns.ts";
import { countRefusal, fitTexts, nameOf, type AskedRows } from "./asked-rows.ts";
import { readCsv } from "./csv-rows.ts";
import type { DescribedModel } from "./described-model.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { predictionJson } from "./prediction-json.ts";
import { bodyJson, type RequestBody } from "./request-body.ts";
import { rowsPerRequestMax } from "./serving-limit.ts";
import { numbersJson } from "./number-json.ts";
import type { WrittenAnswer } from "./written-answer.ts";

const rowsSchema = listOf(anyValue, Number.MAX_SAFE_INTEGER);
const splitSchema = z.object({
  columns: listOf(z.union([sentenceText, z.number()]), manyEntriesMax).optional(),
  data: rowsSchema,
});
const forms = ["dataframe_split", "dataframe_records", "inputs", "instances"] as const;
const invocationSchema = z.object({
  dataframe_split: splitSchema.optional(),
  dataframe_records: rowsSchema.optional(),
  inputs: anyValue.optional(),
  instances: rowsSchema.optional(),
  params: recordOf(shortText, anyValue).nullable().optional(),
});

export function readInvocation(body: RequestBody, described: DescribedModel): Reading<AskedRows> {
  const { bytes, charset, contentType } = body;
  if (charset !== null && charset !== "utf-8" && charset !== "utf8")
    return turnDown(415, `the body is in ${quoted(charset)}; it has to be in UTF-8`);
  if (contentType === "text/csv") return readTable(bytes, described);
  if (contentType !== null && contentType !== "application/json")
    return turnDown(
      415,
      `a request is application/json, text/csv or application/vnd.apache.parquet, not ${quoted(contentType)}`,
    );
  const json = bodyJson(bytes, "the body");
  if (!json.ok) return json;
  const parsed = parseOutside(invocationSchema, json.value, "the request");
  if (!parsed.ok) return turnDown(400, parsed.refusal.message);
  const sent = parsed.value;
  const given = forms.filter((form) => sent[form] !== undefined);
  if (given.length !== 1)
    return turnDown(
      400,
      `the request has ${given.length === 0 ? "none" : given.join(" and ")} of ${forms.join(", ")}; exactly one has to be there`,
    );
  if (sent.dataframe_split !== undefined) return splitRows(sent.dataframe_split, described);
  if (sent.dataframe_records !== undefined)
    return (
      countRefusal(sent.dataframe_records.length) ??
      fitRecords(described, sent.dataframe_records, "pass over")
    );
  return tensorRows(sent.instances ?? sent.inputs, described);
}

function splitRows(
  { columns, data }: z.infer<typeof splitSchema>,
  described: DescribedModel,
): Reading<AskedRows> {
  const names = columns?.map(String) ?? described.model.signature.inputs.map(({ name }) => name);
  return countRefusal(data.length) ?? fitLists(described, names, data, "pass over");
}

/** A list of rows, each an object, a list of values or a value; or an object with a list for each column. */
function tensorRows(given: unknown, described: DescribedModel): Reading<AskedRows> {
  const { inputs } = described.model.signature;
  if (typeof given === "string") return tensorRows([given], described);
  if (Array.isArray(given)) {
    const list: readonly unknown[] = given;
    const refused = countRefusal(list.length);
    if (refused !== null) return refused;
    if (Array.isArray(list[0]))
      return fitLists(
        described,
        inputs.map(({ name }) => name),
        list,
        "pass over",
      );
    if (typeof list[0] === "object" && list[0] !== null) return fitRecords(described, list, "pass over");
    const [only] = inputs;
    if (only === undefined || inputs.length > 1)
      return turnDown(
        400,
        `row 1 is ${nameOf(list[0])}; the model takes ${inputs.length} columns, so a row is an object or a list`,
      );
    return described.textInput === null
      ? fitColumns(described, list.length, new Map([[only.name, list]]))
      : fitTexts(only.name, list);
  }
  if (typeof given !== "object" || given === null)
    return turnDown(
      400,
      `inputs is ${nameOf(given)}; it has to be a list of rows, or an object with a list for each column`,
    );
  let count: number | null = null;
  const columns = new Map<string, readonly unknown[]>();
  for (const [name, value] of Object.entries(given)) {
    if (!inputs.some((input) => input.name === name)) continue;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    count ??= list.length;
    if (list.length !== count)
      return turnDown(400, `the column ${quoted(name)} has ${list.length} values and another has ${count}`);
    columns.set(name, list.map(alone));
  }
  return countRefusal(count ?? 0) ?? fitColumns(described, count ?? 0, columns);
}

/** A value that stands in a list of its own, as a column of shape [rows, 1] has it. */
function alone(value: unknown): unknown {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.length === 1 ? list[0] : value;
}

function readTable(bytes: Buffer, described: DescribedModel): Reading<AskedRows> {
  if (!isUtf8(bytes)) return turnDown(400, "the body is not text in UTF-8");
  const csv = readCsv(bytes, rowsPerRequestMax);
  if (!csv.ok) return csv;
  const { names, records } = csv.value;
  const isNumber = names.map((name) =>
    described.model.signature.inputs.some((input) => input.name === name && input.kind === "number"),
  );
  const lists = records.map((record) =>
    record.map((cell, at) => (isNumber[at] === true ? numberOf(cell) : cell)),
  );
  return countRefusal(lists.length) ?? fitLists(described, names, lists, "pass over");
}

/** What is no number stays the text that it is, for the sentence that refuses it. */
function numberOf(cell: string | null): string | number | null {
  if (cell === null || cell.trim() === "") return null;
  const value = Number(cell);
  return Number.isFinite(value) ? value : cell;
}

export function writeInvocation(described: DescribedModel, count: number, answers: Answers): WrittenAnswer {
  let json = '{"predictions":[';
  if (answers.kind === "values") json += numbersJson(answers.values);
  else
    for (let row = 0; row < count; row++)
      json += (row > 0 ? "," : "") + predictionJson(described, answers, row);
  return {
    contentType: "application/json",
    body: `${json}]}`,
    isAscii: described.isAscii,
    inferenceHeader: null,
  };
}
