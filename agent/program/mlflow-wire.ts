/**
 * What stands in the calls of MLflow's client (REST API 2.0, https://mlflow.org/docs/latest/rest-api.html), as schemas, and how it is
 * answered. Which call does what is in `mlflow-call.ts`.
 */
import * as z from "zod";
import { cutText, listOf, longText, sentenceText } from "../../protocol/bound.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { MlflowFact } from "./mlflow-fact.ts";
import { spokenNumber } from "./spoken-number.ts";

export interface MlflowAnswer {
  readonly status: 200 | 400 | 404 | 405;
  readonly body: unknown;
  readonly facts: readonly MlflowFact[];
}

/** Protobuf's JSON writes 64-bit integers as numbers or as text. */
const integer = z.union([
  z.int(),
  longText
    .regex(/^-?\d+$/)
    .transform(Number)
    .pipe(z.int()),
]);
/** MLflow's own limit of a name. */
const nameCharactersMax = 250;
const name = longText.min(1).max(nameCharactersMax);
export const metricBody = z.object({
  key: name,
  value: spokenNumber,
  step: integer.default(0),
  timestamp: integer.optional(),
  model_id: longText.optional(),
  dataset_name: longText.optional(),
  dataset_digest: longText.optional(),
});
/** MLflow allows some thousand; of a longer value its beginning is kept. */
const valueCharactersMax = 8_000;
export const pairBody = z.object({ key: name, value: cutText(valueCharactersMax).default("") });
export const batchBody = z.object({
  metrics: listOf(metricBody).default([]),
  params: listOf(pairBody).default([]),
  tags: listOf(pairBody).default([]),
});
export const creationBody = z.object({
  run_name: longText.optional(),
  start_time: integer.optional(),
  tags: listOf(pairBody).default([]),
});
export const updateBody = z.object({
  status: longText.optional(),
  run_name: longText.optional(),
  end_time: integer.optional(),
});
/** Which run is meant; older clients say `run_uuid`. */
export const meantBody = z.object({ run_id: longText.optional(), run_uuid: longText.optional() });

const pageMost = 50_000;
const paging = {
  max_results: integer.pipe(z.int().min(1).max(pageMost)).optional(),
  page_token: sentenceText.optional(),
};
export const searchBody = z.object({
  experiment_ids: listOf(longText).optional(),
  filter: sentenceText.default(""),
  order_by: listOf(sentenceText).default([]),
  run_view_type: longText.default("ACTIVE_ONLY"),
  ...paging,
});
export const outputBody = z.object({
  models: listOf(z.object({ model_id: longText, step: integer.default(0) })).default([]),
});
export const historyBody = z.object({ metric_key: longText, ...paging });

export const modelBody = z.object({
  name: name.optional(),
  model_type: longText.optional(),
  source_run_id: longText.optional(),
  params: listOf(pairBody).default([]),
  tags: listOf(pairBody).default([]),
});
export const modelChangeBody = z.object({
  status: longText.optional(),
  params: listOf(pairBody).default([]),
  tags: listOf(pairBody).default([]),
});
export const modelSearchBody = z.object({
  experiment_ids: listOf(longText).optional(),
  filter: sentenceText.default(""),
  order_by: listOf(z.object({ field_name: sentenceText, ascending: z.boolean().default(true) })).default([]),
  ...paging,
});

export function ok(body: unknown): MlflowAnswer {
  return { status: 200, body, facts: [] };
}

export function refused(status: 400 | 404, message: string): MlflowAnswer {
  const code = status === 404 ? "RESOURCE_DOES_NOT_EXIST" : "INVALID_PARAMETER_VALUE";
  return { status, body: { error_code: code, message }, facts: [] };
}

export function refusedFor({ message }: Refusal): MlflowAnswer {
  return refused(400, message);
}

/** What the call says, done, or why it does not parse. */
export function taking<T>(
  schema: z.ZodType<T>,
  body: unknown,
  does: (given: T) => MlflowAnswer,
): MlflowAnswer {
  const given = schema.safeParse(body);
  if (given.success) return does(given.data);
  const [issue] = given.error.issues;
  return refused(400, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it does not parse"}`);
}

export function shown(id: string | undefined): string {
  return (id ?? "").slice(0, 64);
}

/** One page of the list, and what to ask with for the next; a token that is none of ours begins anew. */
export function page<T>(
  all: readonly T[],
  {
    max_results: most,
    page_token: token,
  }: { readonly max_results?: number | undefined; readonly page_token?: string | undefined },
  usual: number,
): { readonly items: readonly T[]; readonly next: { next_page_token?: string } } {
  const from = token !== undefined && /^\d{1,9}$/.test(token) ? Number(token) : 0;
  const end = from + (most ?? usual);
  return { items: all.slice(from, end), next: end < all.length ? { next_page_token: String(end) } : {} };
}
