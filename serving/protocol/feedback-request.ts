/**
 * `POST /feedback/NAME`: what the truth of an answer was, by the answer's id: `{"answer": "trec@7~…", "truth": "NUM"}`, or a list with one of each row
 * that was asked. Not what is made of it.
 */
import * as z from "zod";
import { anyValue, shortText } from "../../protocol/bound.ts";
import { parseOutside } from "../../protocol/refusal.ts";
import { nameOf } from "./asked-rows.ts";
import type { DescribedModel } from "./described-model.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { bodyJson, isJsonType, type RequestBody } from "./request-body.ts";

export interface FeedbackRequest {
  /** As it was given. */
  readonly answer: string;
  /** Its end, alike for all versions that answered the same request. */
  readonly id: string;
  /** Of each row: the place of a label in the signature, or a number. */
  readonly truth: readonly number[];
}

const feedbackSchema = z.strictObject({ answer: shortText, truth: anyValue });
const answerPattern = /^[^~]+@[1-9]\d*~([0-9a-z]+)$/;
/** Labels that a sentence lists. */
const labelsShownMax = 10;

export function readFeedback(body: RequestBody, described: DescribedModel): Reading<FeedbackRequest> {
  if (!isJsonType(body.contentType))
    return turnDown(415, `feedback is application/json, not ${quoted(body.contentType ?? "")}`);
  const json = bodyJson(body.bytes, "the body");
  if (!json.ok) return json;
  const parsed = parseOutside(feedbackSchema, json.value, "the feedback");
  if (!parsed.ok) return turnDown(400, `${parsed.refusal.message}; ${whatToSend}`);
  const { answer, truth } = parsed.value;
  const id = answerPattern.exec(answer)?.[1];
  if (id === undefined)
    return turnDown(
      400,
      `${quoted(answer)} is no answer's id, such as ${described.answerHead}5f2c; ${whatToSend}`,
    );
  const given: readonly unknown[] = Array.isArray(truth) ? truth : [truth];
  const { labels } = described.model.signature;
  const known: number[] = [];
  for (const value of given) {
    const one = labels === null ? numberOf(value) : labels.indexOf(String(value));
    if (one === null || one === -1 || (labels !== null && typeof value === "object"))
      return turnDown(
        400,
        `the truth ${nameOf(value)} is no ${labels === null ? "finite number" : `label of ${described.model.model}; there are ${labelList(labels)}`}`,
      );
    known.push(one);
  }
  return { ok: true, value: { answer, id, truth: known } };
}

const whatToSend = 'send {"answer": ID, "truth": LABEL}, with the id that came with the answer';

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function labelList(labels: readonly string[]): string {
  const shown = labels.slice(0, labelsShownMax).map(quoted).join(", ");
  return labels.length > labelsShownMax ? `${shown} and ${labels.length - labelsShownMax} more` : shown;
}
