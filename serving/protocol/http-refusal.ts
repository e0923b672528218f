/**
 * The expected ways in which a server turns a request down: a status of HTTP and one sentence. They are values, as the mesh's own
 * refusals are (`protocol/refusal.ts`), and each protocol writes them in its own form.
 */
import type { Refusal } from "../../protocol/refusal.ts";

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 408 | 411 | 413 | 415 | 429 | 431 | 500 | 503;

export interface HttpRefusal {
  readonly status: RefusalStatus;
  /** One sentence: what is wrong, where, and what would be right. */
  readonly message: string;
  /** When it is worth trying again; of 429 and 503. */
  readonly retryAfterSeconds?: number;
  /** Of 405: the methods that are understood there. */
  readonly allow?: string;
}

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly down: HttpRefusal };

/** What of a caller's own words a sentence repeats. */
const shownCharactersMax = 60;

export function turnDown(
  status: RefusalStatus,
  message: string,
): { readonly ok: false; readonly down: HttpRefusal } {
  return { ok: false, down: { status, message } };
}

/** A word of a caller's in a sentence: cut, and in quotes. */
export function quoted(word: string): string {
  return JSON.stringify(word.length > shownCharactersMax ? `${word.slice(0, shownCharactersMax)}…` : word);
}

/** What the mesh or a model refused, as a server says it. */
export function fromRefusal({ code, message }: Refusal): HttpRefusal {
  switch (code) {
    case "invalid":
    case "conflict":
      return { status: 400, message };
    case "unknown":
      return { status: 404, message };
    case "forbidden":
      return { status: 403, message };
    case "no-agent-fits":
    case "budget-empty":
    case "unavailable":
      return { status: 503, message };
  }
}
