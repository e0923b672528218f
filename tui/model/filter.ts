/**
 * The `/` filter: words that must all match. `!word` must not, `~word` matches its letters in order
 * with gaps, `key:word` looks only at that field, and `lr>0.001` compares, as `--where` of the command line does.
 */
import { readRowCondition } from "../../client/list/row-condition.ts";
import type { ListFields } from "../../client/list/row-field.ts";
import { rowTest } from "../../client/list/select-rows.ts";

export type Fields = Readonly<Record<string, string>>;

/** Blanks within quotes part no words. */
const wordPattern = /(?:"[^"]*"|\S)+/g;
/** A condition that is still being typed. */
const unfinished = /[^<>=!~][<>=!~]+$/;

/**
 * The fields are only made where there is a filter: a long list without one costs nothing. `listed`: what conditions may name;
 * a word that compares nothing of it is looked for as it stands.
 */
export function filtered<Row>(
  rows: readonly Row[],
  filter: string,
  fieldsOf: (row: Row) => Fields,
  listed: ListFields<Row> | null = null,
): readonly Row[] {
  const words = filter.match(wordPattern) ?? [];
  if (words.length === 0) return rows;
  const conditions: ((row: Row) => boolean)[] = [];
  const plain: string[] = [];
  for (const word of words) {
    const test = listed === null ? null : testOf(word, listed, rows);
    if (test === null) plain.push(word.toLowerCase());
    else conditions.push(test);
  }
  return rows.filter((row) => {
    if (!conditions.every((test) => test(row))) return false;
    if (plain.length === 0) return true;
    const fields = fieldsOf(row);
    return plain.every((word) => matchesWord(word, fields));
  });
}

function testOf<Row>(
  word: string,
  listed: ListFields<Row>,
  rows: readonly Row[],
): ((row: Row) => boolean) | null {
  if (word.startsWith("!") || word.startsWith("~")) return null;
  if (unfinished.test(word)) return () => true;
  const condition = readRowCondition(word);
  const test = condition.ok ? rowTest(condition.value, listed, rows) : null;
  return test !== null && test.ok ? test.value : null;
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
