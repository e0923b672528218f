/** What `stranger-child.ts` is told, and the words with which Node.js starts it. */
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { longText, shortText } from "../../protocol/bound.ts";

export const strangerOrderSchema = z.object({
  /** Path of a JSON file with PEM texts: `key`, `certificate`, `authority`. */
  identity: longText,
  mesh: shortText,
  artifact: shortText,
  agent: shortText,
  host: shortText,
  port: z.int(),
});

export function strangerOrder(order: z.infer<typeof strangerOrderSchema>): readonly string[] {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const file = fileURLToPath(new URL(`./stranger-child.${ending}`, import.meta.url));
  return [file, JSON.stringify(order)];
}
