/** What was thrown, as the sentence that is shown for it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
