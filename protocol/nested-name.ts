/** Names of nested parameters: one name with dots in a space, a path in what a program gets. */

/** The longest chain of nested prefixes a name begins with, then the rest of it. */
export function pathOf(name: string, nested: readonly string[]): readonly string[] {
  const prefix = nested
    .filter((candidate) => name.startsWith(`${candidate}.`))
    .toSorted((a, b) => a.length - b.length);
  const path: string[] = [];
  let before = "";
  for (const candidate of prefix) {
    path.push(candidate.slice(before.length));
    before = `${candidate}.`;
  }
  return [...path, name.slice(before.length)];
}
