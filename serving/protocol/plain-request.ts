/**
 * `POST /predict/NAME`, for people: `{"text": "…"}`, `{"texts": ["…"]}` or `{"rows": [{"column": value}]}`. One text gets one answer
 * at the top, the others a list.
 */
import * as z from "zod";
import { anyValue, listOf } from "../../protocol/bound.ts";
import { parseOutside } from "../../protocol/refusal.ts";
import type { Answers } from "../model/served-model.ts";
import { fitRecords } from "./asked-columns.ts";
import { countRefusal, fitTexts, inputNames, type AskedRows } from "./asked-rows.ts";
import type { DescribedModel } from "./described-model.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { predictionJson } from "./prediction-json.ts";
import { bodyJson, isJsonType, type RequestBody } from "./request-body.ts";
import type { WrittenAnswer } from "./written-answer.ts";

export interface PlainRequest {
  readonly rows: AskedRows;
  readonly isOne: boolean;
}

const rowsSchema = listOf(anyValue, Number.MAX_SAFE_INTEGER);
const plainSchema = z.strictObject({
  text: anyValue.optional(),
  texts: rowsSchema.optional(),
  rows: rowsSchema.optional(),
});

export function readPlain(body: RequestBody, described: DescribedModel): Reading<PlainRequest> {
  const { charset, contentType } = body;
  if (!isJsonType(contentType))
    return turnDown(415, `a request is application/json, not ${quoted(contentType ?? "")}`);
  if (charset !== null && charset !== "utf-8" && charset !== "utf8")
    return turnDown(415, `the body is in ${quoted(charset)}; JSON is in UTF-8`);
  const json = bodyJson(body.bytes, "the body");
  if (!json.ok) return json;
  const parsed = parseOutside(plainSchema, json.value, "the request");
  if (!parsed.ok) return turnDown(400, `${parsed.refusal.message}; ${whatToSend(described)}`);
  const { rows, text, texts } = parsed.value;
  const given = [text, texts, rows].filter((one) => one !== undefined);
  if (given.length !== 1)
    return turnDown(400, `the request has ${given.length} of text, texts and rows; ${whatToSend(described)}`);
  const list = rows ?? texts ?? [text];
  const counted = countRefusal(list.length);
  if (counted !== null) return counted;
  if (rows !== undefined) return asRequest(fitRecords(described, rows, "refuse"), false);
  const { textInput } = described;
  if (textInput === null)
    return turnDown(400, `the model takes more than one text; ${whatToSend(described)}`);
  return asRequest(fitTexts(textInput, list), text !== undefined);
}

function asRequest(rows: Reading<AskedRows>, isOne: boolean): Reading<PlainRequest> {
  return rows.ok ? { ok: true, value: { rows: rows.value, isOne } } : rows;
}

function whatToSend({ model, textInput }: DescribedModel): string {
  return textInput === null
    ? `send {"rows": [{…}]} with ${inputNames(model.signature)}`
    : 'send {"text": "…"} or {"texts": ["…", "…"]}';
}

/** `answerId` is safe in JSON as it is. */
export function writePlain(
  described: DescribedModel,
  { isOne, rows: { count } }: PlainRequest,
  answers: Answers,
  answerId: string,
): WrittenAnswer {
  let json = `${described.predictHead}"${answerId}",`;
  if (isOne) json += predictionJson(described, answers, 0).slice(1);
  else {
    json += '"predictions":[';
    for (let row = 0; row < count; row++)
      json += (row > 0 ? "," : "") + predictionJson(described, answers, row);
    json += "]}";
  }
  return { contentType: "application/json", body: json, isAscii: described.isAscii, inferenceHeader: null };
}
