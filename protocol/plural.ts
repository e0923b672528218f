/** A count with its noun, for sentences: `1 trial`, `3 trials`. Regular English plurals only. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
