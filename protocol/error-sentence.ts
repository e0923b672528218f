/** What was thrown, as people read it: never a stack trace. What is expected is no error but a refusal (`refusal.ts`). */
import * as z from "zod";

/** In one line; of data that does not parse, its first fault. */
export function errorSentence(error: unknown): string {
  if (error instanceof z.core.$ZodError) {
    const [issue] = error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "" : `field ${issue.path.join(".")}: `;
    return `${where}${issue?.message ?? "does not parse"}`;
  }
  return errorMessage(error).split("\n")[0] ?? "";
}

/** With all its lines. */
export function errorMessage(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
