// Ends the process over a broken invariant found in a callback, outside the library code that called it
// (which would swallow the error). Not for expected refusals.

/** Throws `error` in a task of its own, where only the process-wide handler can see it. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
