/**
 * Bytes that are kept for long (checkpoints, datasets, bundles) carry a number of their format. One above what is known here is
 * no damage but another version's work, and is told so before anything else about them is.
 */
import * as z from "zod";
import { refuse, type Outcome } from "./refusal.ts";

/** A refusal where `raw[field]` is a number above `newest`; null where it is not. `what`: begins the sentence. */
export function newerFormat(
  raw: unknown,
  field: string,
  newest: number,
  what: string,
): Outcome<never> | null {
  const found = z.object({ [field]: z.int() }).safeParse(raw).data?.[field] ?? 0;
  if (found <= newest) return null;
  return refuse(
    "conflict",
    `${what} was written by a newer version of trialmesh (its format is ${found}, and this version reads up to ${newest}); upgrade trialmesh here`,
  );
}
