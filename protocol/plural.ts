/** Counts with their noun and lists, for sentences: `1 trial`, `3 trials`. Regular English plurals only. */

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Of a list in a sentence so much is named. */
const namedMax = 8;

/** `s1, s2, s3`, and of a long list how many more there are. */
export function namedList(items: readonly string[]): string {
  const more = items.length - namedMax;
  return [...items.slice(0, namedMax), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
