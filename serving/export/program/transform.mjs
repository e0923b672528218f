/** From rows as people have them to the numbers that the model takes, as transform.json describes it. It reads no files of rows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const unknownToken = 1;
const fnvBasis = 0x811c9dc5;
const fnvPrime = 0x01000193;
const wordSalt = 0x3c6ef372;
const charSalt = 0x1b873593;
const textStart = 0x5bd1e995;
const wordBegin = 60;
const wordEnd = 62;
const millisecondsPerDay = 86_400_000;

/** A row that cannot be read; the sentence says which and why. */
export class RowError extends Error {}

export class Transform {
  constructor(folder) {
    const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
    this.plan = read("transform.json");
    this.labels = this.plan.labels;
    this.columns = this.plan.columns.map((column) => column.name);
    const { text } = this.plan;
    if (text?.kind === "ngrams") {
      const bytes = readFileSync(join(folder, text.buckets));
      this.none = bytes.length / 4;
      this.rowOfBucket = new Int32Array(2 ** text.bucketBits).fill(-1);
      for (let row = 0; row < this.none; row++) this.rowOfBucket[bytes.readInt32LE(4 * row)] = row;
    } else if (text !== undefined) {
      this.numberOf = new Map(read(text.vocabulary).map((token, at) => [token, at + 2]));
    }
  }

  /** rows: objects by column. Gives the model's inputs by name: type, shape and numbers of each. */
  inputs(rows) {
    const { features, graph, text } = this.plan;
    if (graph !== undefined) return graphColumns(stepped(this.plan, rows), graph);
    if (text === undefined) {
      const data = inputFeatures(this.plan, rows);
      const width = features.reduce((sum, feature) => sum + widthOf(feature), 0);
      return { features: { type: "float32", shape: [rows.length, width], data } };
    }
    const texts = inputTexts(this.plan, rows);
    if (text.kind === "tokens") return { tokens: int64(texts.map((one) => this.tokens(one, text))) };
    const found = texts.map((one) => this.ngrams(one, text));
    const longest = found.reduce((most, one) => Math.max(most, one.length), 1);
    return { rows: int64(found.map((one) => filled(one, longest, this.none))) };
  }

  tokens(text, { length, unit }) {
    const normal = text.normalize("NFC").trim();
    const tokens = unit === "char" ? [" ", ...normal, " "] : normal.toLowerCase().split(/\s+/u);
    const numbers = tokens.slice(0, length).map((token) => this.numberOf.get(token) ?? unknownToken);
    return filled(numbers, length, 0);
  }

  ngrams(text, plan) {
    const rows = [];
    for (const bucket of ngramBuckets(text.normalize("NFC").toLowerCase(), plan)) {
      const row = this.rowOfBucket[bucket];
      if (row >= 0) rows.push(row);
    }
    return plan.binary ? [...new Set(rows)] : rows;
  }
}

/** Each row's text behind the steps; plan: what transform.json holds. */
export function inputTexts(plan, rows) {
  return stepped(plan, rows).map((row, at) => textOf(row, plan.text.column, at));
}

/** The rows' frozen features, row after row. */
export function inputFeatures(plan, rows) {
  return featuresOf(stepped(plan, rows), plan.features);
}

function stepped({ columns, entities, missing, steps }, rows) {
  return rows.map((given) => {
    const row = bare(given);
    for (const column of columns)
      if (column.name in row) row[column.name] = readCell(row[column.name], column, missing);
    return steps.reduce((one, step) => bare(applyStep(one, step, entities)), row);
  });
}

/** With nothing of an object's own: a column may be called "constructor". */
function bare(row) {
  return Object.assign(Object.create(null), row);
}

const wholeForm = /^ *[+-]?\d+ *$/u;

/** A value as its source was read; one that does not fit stays as it is. */
function readCell(value, { kind, type }, { emptyIsText, words }) {
  if (value === null || value === undefined || words.includes(value)) return null;
  if (value === "" && (kind !== "text" || !emptyIsText)) return null;
  if (typeof value !== "string") return value;
  if (type === "text") return value.toWellFormed();
  if (type === "integer" && wholeForm.test(value)) return Number(value) + 0;
  if (type === "boolean" && /^ *(?:true|false) *$/iu.test(value))
    return value.trim().toLowerCase() === "true";
  return value;
}

function filled(numbers, length, by) {
  const out = Array.from(numbers);
  while (out.length < length) out.push(by);
  return out;
}

function int64(rows) {
  return { type: "int64", shape: [rows.length, rows[0]?.length ?? 0], data: Int32Array.from(rows.flat()) };
}

/** The finaliser of MurmurHash3. */
function mix(value) {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Buckets of a text's n-grams of characters, word by word, then of its n-grams of words. */
function ngramBuckets(text, { bucketBits, charMax, charMin, wordNgrams }) {
  const mask = 2 ** bucketBits - 1;
  const buckets = [];
  const hashes = [textStart];
  for (const word of text.split(/\s+/u)) {
    if (word === "") continue;
    const units = [wordBegin];
    for (let at = 0; at < word.length; at++) units.push(word.charCodeAt(at));
    units.push(wordEnd);
    hashes.push(mix(units.reduce((hash, unit) => Math.imul(hash ^ unit, fnvPrime), fnvBasis ^ wordSalt)));
    for (let from = 0; from < units.length; from++) {
      const to = Math.min(units.length, from + charMax);
      let hash = fnvBasis ^ charSalt;
      for (let at = from; at < to; at++) {
        hash = Math.imul(hash ^ units[at], fnvPrime);
        const size = at - from + 1;
        // The marks alone say nothing.
        if (size < charMin || (size === 1 && (from === 0 || from === units.length - 1))) continue;
        buckets.push(mix(hash) & mask);
      }
    }
  }
  for (let from = 0; from < hashes.length; from++) {
    const to = Math.min(hashes.length, from + wordNgrams);
    let hash = 0;
    for (let at = from; at < to; at++) {
      hash = mix(Math.imul(hash, 31) + hashes[at]);
      if (at > 0) buckets.push(hash & mask);
    }
  }
  return buckets;
}

function textOf(row, column, at) {
  const value = row[column];
  if (value === undefined) throw new RowError(`row ${at + 1} has no column "${column}"`);
  if (value === null) return "";
  if (typeof value === "string") return value;
  throw new RowError(`row ${at + 1}, column "${column}": ${JSON.stringify(value)} is no text`);
}

function featuresOf(rows, plan) {
  const width = plan.reduce((sum, feature) => sum + widthOf(feature), 0);
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    let at = index * width;
    for (const feature of plan) {
      const value = row[feature.column] ?? null;
      if (feature.kind === "categories") data[at + categoryOf(value, feature.values)] = 1;
      else {
        const number = numberOf(value, feature, index);
        if (feature.kind === "numeric")
          data[at] = single((number - feature.offset) * feature.factor, feature, index);
        else data[at + bucketOf(number, feature.bounds)] = 1;
      }
      at += widthOf(feature);
    }
  });
  return data;
}

function single(number, { column }, index) {
  if (Number.isFinite(Math.fround(number))) return number;
  throw new RowError(`row ${index + 1}, column "${column}": ${number} is larger than single precision holds`);
}

/** Columns as the graph takes them, which makes the features itself: numbers, NaN for none, and words. */
function graphColumns(rows, { categories, numbers }) {
  const given = {};
  if (numbers.length > 0) {
    const data = rows.flatMap((row, index) =>
      numbers.map((column) => numberOf(row[column] ?? null, { column, fill: Number.NaN }, index)),
    );
    given.numbers = { type: "float64", shape: [rows.length, numbers.length], data: Float64Array.from(data) };
  }
  if (categories.length > 0) {
    const data = rows.flatMap((row) =>
      categories.map(({ column, missing }) => String(row[column] ?? missing)),
    );
    given.categories = { type: "string", shape: [rows.length, categories.length], data };
  }
  return given;
}

function widthOf(feature) {
  if (feature.kind === "numeric") return 1;
  return (feature.kind === "categories" ? feature.values : feature.bounds).length + 1;
}

function bucketOf(number, bounds) {
  const place = bounds.findIndex((bound) => number <= bound);
  return place === -1 ? bounds.length : place;
}

const numberForm = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u;

function numberOf(value, { column, fill }, index) {
  if (value === null) return fill;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return Number.isFinite(value) ? value : fill;
  const word = String(value).trim();
  if (word === "" || /^[+-]?(?:inf|infinity|nan)$/iu.test(word)) return fill;
  if (/^(?:true|false)$/iu.test(word)) return word.toLowerCase() === "true" ? 1 : 0;
  const number = numberForm.test(word) ? Number(word) : daysOf(word);
  if (Number.isNaN(number))
    throw new RowError(`row ${index + 1}, column "${column}": ${JSON.stringify(word)} is no number`);
  return Number.isFinite(number) ? number : fill;
}

/** Days since 1970 of a date or a moment; NaN where it is neither. */
function daysOf(word) {
  if (!/^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/u.test(word))
    return Number.NaN;
  const zoned = word.length === 10 || /(?:Z|[+-]\d\d:\d\d)$/u.test(word.slice(10)) ? word : `${word}Z`;
  return Date.parse(zoned.replace(" ", "T")) / millisecondsPerDay;
}

/** The value's place; the last one for any other and for none. */
function categoryOf(value, values) {
  const place =
    typeof value === "number"
      ? values.findIndex((known) => numberForm.test(known) && Number(known) === value)
      : values.indexOf(value === null ? null : String(value));
  return place === -1 ? values.length : place;
}

function applyStep(row, step, entities) {
  switch (step.step) {
    case "rename":
      return renamed(row, step.columns);
    case "concat": {
      const parts = step.columns.map((name) => row[name] ?? "").filter((part) => part !== "");
      return { ...row, [step.to]: parts.map(String).join(step.separator) || null };
    }
    case "map-label": {
      const cell = row[step.column] ?? null;
      const raw = cell === null ? null : trimmed(String(cell));
      return { ...row, [step.to]: raw === null ? null : mapped(raw, step) };
    }
    case "clean": {
      const there = step.columns.filter((name) => (row[name] ?? null) !== null);
      const cleaned = there.map((name) => [name, clean(String(row[name]), step, entities)]);
      return { ...row, ...Object.fromEntries(cleaned) };
    }
    default:
      throw new RowError(`transform.json has a step "${step.step}" that this program does not know`);
  }
}

/** What stood under a new name before is gone, as nothing reads it. */
function renamed(row, columns) {
  const taken = new Set(Object.values(columns));
  const kept = Object.entries(row).filter(([name]) => name in columns || !taken.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [columns[name] ?? name, value]));
}

const otherLabel = "other";

function mapped(raw, { column, map, unknown }) {
  const found = map.find(([value]) => value === raw);
  if (found !== undefined) return found[1];
  if (unknown === "keep") return raw;
  if (unknown === "other") return otherLabel;
  if (unknown === "drop") return null;
  throw new RowError(`column "${column}": ${JSON.stringify(raw)} is no label of the map`);
}

function trimmed(text) {
  return text.replaceAll(/^[\t-\r \u0085\p{Z}]+|[\t-\r \u0085\p{Z}]+$/gu, "");
}

function clean(given, step, entities) {
  let text = given;
  if (step.html && /[&<]|#[0-9A-Za-z]+;/u.test(text))
    text = text
      .replaceAll(
        /&([A-Za-z][A-Za-z0-9]{1,8});|&?#(?:([0-9]{1,7})|[xX]([0-9A-Fa-f]{1,6}));/gu,
        (whole, name, decimal, hex) => entityOf(whole, name, decimal, hex, entities),
      )
      .replaceAll(/<!--[\s\S]*?-->|<(?:\/|!)?[A-Za-z][^<>]*>/gu, " ");
  if (step.escapes === "c") {
    const pairs = [
      ["\\\\", "\ue000"],
      ["\\n", "\n"],
      ["\\t", "\t"],
      ["\\r", "\r"],
      ['\\"', '"'],
      ["\\'", "'"],
      ["\ue000", "\\"],
    ];
    for (const [from, to] of pairs) text = text.replaceAll(from, to);
  } else if (step.escapes) text = text.replaceAll(/\\(["'])/gu, "$1").replaceAll(/\\+/gu, " ");
  if (step.unicode !== undefined) text = text.normalize(step.unicode);
  // One character for one, as the data set was made: no letter depends on those around it.
  if (step.lowercase)
    text = Array.from(text, (one) => String.fromCodePoint(one.toLowerCase().codePointAt(0))).join("");
  if (step.whitespace) text = text.replaceAll(/[\t-\r\p{Z}]+/gu, " ").replaceAll(/^ | $/gu, "");
  return text === "" ? null : text;
}

const windows1252 = new TextDecoder("windows-1252");

function entityOf(whole, name, decimal, hex, entities) {
  if (name !== undefined) return entities[name] ?? whole;
  const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
  if (code >= 0x80 && code <= 0x9f) return windows1252.decode(Uint8Array.of(code));
  const valid = code > 0 && code <= 0x10_ffff && (code < 0xd8_00 || code > 0xdf_ff);
  return valid ? String.fromCodePoint(code) : whole;
}
