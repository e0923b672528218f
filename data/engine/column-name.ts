/** Which names a file's columns may have: each its own, whatever the letter case, and none that a build uses itself. */
import { internalPrefix } from "./sql.ts";

/** A sentence with the place of the first bad name, or null. */
export function columnNameFault(path: string, columns: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const [index, name] of columns.entries()) {
    const place = `${path}, line 1, column ${index + 1}`;
    if (name === "") return `${place}: has no name; give names for all columns with columns: [...]`;
    if (name.startsWith(internalPrefix))
      return `${place}: a name may not begin with ${internalPrefix}, as "${name}" does`;
    if (seen.has(name.toLowerCase()))
      return `${place}: "${name}" stands twice (letter case does not count); give names for all columns with columns: [...]`;
    seen.add(name.toLowerCase());
  }
  return null;
}

/** The names, but that those which cannot be and nobody uses are called by their place. `used` in lower case; null: all. */
export function namesToUse(columns: readonly string[], used: ReadonlySet<string> | null): readonly string[] {
  if (used === null) return columns;
  const lower = columns.map((name) => name.toLowerCase());
  return columns.map((name, at) => {
    const own = lower[at] ?? "";
    const cannotBe = name === "" || name.startsWith(internalPrefix) || lower.indexOf(own) < at;
    return cannotBe && !used.has(own) ? `column${at + 1}` : name;
  });
}
