/**
 * Names people give to things, and the nearest known name to a mistyped one.
 * Not ids that the mesh makes itself: those are in `id.ts`.
 */
import { textOf } from "./bound.ts";

const nameMax = 31;
export const nameForm = "1 to 31 characters of a-z, 0-9 and -, and starts with a letter or digit";
const nameRule = `a name is ${nameForm}`;

/** A name that is safe as one NATS subject token, one file name and one word on a command line. */
export const nameSchema = textOf(nameMax, nameRule).regex(/^[a-z0-9][a-z0-9-]{0,30}$/, nameRule);

/**
 * Edits between two short strings: insert, delete, replace, or swap two neighbours (optimal string
 * alignment, Damerau 1964), for swapped letters are the commonest slip of all.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, (before[j - 2] ?? 0) + 1);
      row.push(edits);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** What is longer than this is no slip of a name, and comparing it takes long. */
const slipCharactersMax = 100;

/** A name of this many characters that another begins with is meant by it: "bayesian" by "bayes". */
const beginningMin = 3;

/** What counts as a slip of the hand: two edits, or one in three characters, and never most of the name. */
function isNear(given: string, name: string, distance: number): boolean {
  const [short, long] = given.length < name.length ? [given, name] : [name, given];
  if (short.length >= beginningMin && long.startsWith(short)) return true;
  return distance <= Math.min(Math.max(2, Math.floor(long.length / 3)), long.length / 2);
}

/** The known name most like `given`, or null when nothing is close enough to be a likely slip. */
export function nearestName(given: string, known: Iterable<string>): string | null {
  if (given.length > slipCharactersMax) return null;
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance && isNear(given.toLowerCase(), name.toLowerCase(), distance)) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Names told of those that are known: a sentence is to be read. */
const namesTold = 20;

/** `, did you mean "x"?` or the list of what is known, ready to end a sentence with. */
export function suggestion(given: string, known: Iterable<string>): string {
  const names = [...known];
  const nearest = nearestName(given, names);
  if (nearest !== null) return `did you mean "${nearest}"?`;
  if (names.length === 0) return "none is known";
  const told = names.toSorted().slice(0, namesTold).join(", ");
  return names.length <= namesTold ? `known: ${told}` : `known: ${told} and ${names.length - namesTold} more`;
}
