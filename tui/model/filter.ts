/**
 * The `/` filter: words that must all match. `!word` must not, `~word` matches its letters in order
 * with gaps, `key:word` looks only at that field.
 */
export type Fields = Readonly<Record<string, string>>;

/** The fields are only made where there is a filter: a long list without one costs nothing. */
export function matchesFilter(filter: string, fieldsOf: () => Fields): boolean {
  if (filter.trim() === "") return true;
  const fields = fieldsOf();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .every((word) => matchesWord(word, fields));
}

function matchesWord(word: string, fields: Fields): boolean {
  if (word.startsWith("!")) return word.length === 1 || !matchesWord(word.slice(1), fields);
  const colon = word.indexOf(":");
  const key = colon > 0 ? word.slice(0, colon) : null;
  if (key !== null && key in fields) return has(fields[key] ?? "", word.slice(colon + 1));
  return has(Object.values(fields).join(" "), word);
}

function has(text: string, word: string): boolean {
  const low = text.toLowerCase();
  if (!word.startsWith("~")) return low.includes(word);
  let at = 0;
  for (const letter of word.slice(1)) {
    at = low.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
