/**
 * Refusals: the expected ways a request can be turned down. They are values, travel over the
 * bus as they are, and read as one sentence. A broken invariant is not a refusal: it throws.
 */
import * as z from "zod";
import { issueSentence } from "./issue-sentence.ts";
import { sentenceText, cutText, listOf, textCharactersMax } from "./bound.ts";

export const refusalCodes = [
  "invalid", // the request does not parse, or names something out of range
  "unknown", // it names something that does not exist
  "forbidden", // the sender's role may not do this
  "no-agent-fits", // nothing in the mesh can ever run it
  "budget-empty", // the tokens do not suffice
  "conflict", // it contradicts the present state
  "unavailable", // no leader, no server, a full disk: the same request may succeed later
] as const;

export const refusalSchema = z.object({
  code: z.enum(refusalCodes),
  /** One sentence: what is wrong, where, and what would be right. */
  message: cutText(textCharactersMax, 1),
  /** Path of the offending field, outermost first; empty when no one field is to blame. */
  field: listOf(z.union([sentenceText, z.number()])).default([]),
});
export type Refusal = z.infer<typeof refusalSchema>;

/** What was left out of an answer for it to fit one message: so many entries of the list of this name. */
export interface Cut {
  readonly list: string;
  readonly left: number;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T; readonly cut?: readonly Cut[] | undefined }
  | { readonly ok: false; readonly refusal: Refusal };

export function accept<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function refuse(
  code: Refusal["code"],
  message: string,
  field: readonly (string | number)[] = [],
): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code, message, field: [...field] } };
}

/** Parses a value at the border; what does not parse becomes a refusal that names the first bad field. */
export function parseOutside<T>(schema: z.ZodType<T>, value: unknown, what: string): Outcome<T> {
  const parsed = schema.safeParse(value, { error: issueSentence });
  if (parsed.success) return accept(parsed.data);
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).map((part) => (typeof part === "symbol" ? String(part) : part));
  const where = path.length === 0 ? what : `${what}, field ${path.join(".")}`;
  return refuse("invalid", `${where}: ${issue?.message ?? "does not parse"}`, path);
}
