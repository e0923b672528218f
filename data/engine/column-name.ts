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
