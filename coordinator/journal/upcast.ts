/**
 * Lifts batches written by older versions to today's shape. Events are never edited in the journal;
 * each change of shape adds a step here and a golden journal to the tests.
 */
export function upcast(raw: unknown): unknown {
  return raw;
}
