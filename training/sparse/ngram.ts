/**
 * Hashed n-grams: a text becomes row numbers of a weight table, made once per dataset and setting.
 * What an n-gram is says `ngram-sink.ts`. Buckets not seen often enough in training have no row at all;
 * the others are numbered from the most frequent down, so that rows used together lie together in memory.
 */
import type { TextDataset, Example } from "../../data/row/dataset-rows.ts";
import { NgramSink, type NgramSetting } from "./ngram-sink.ts";

/** Examples as row numbers: example i is `rows[offsets[i] .. offsets[i + 1])`. */
export interface NgramRows {
  readonly offsets: Int32Array;
  readonly rows: Int32Array;
  readonly labels: Int32Array;
}

export interface NgramTable {
  /** Row of each bucket, or -1. */
  readonly rowOfBucket: Int32Array;
  readonly rows: number;
}

export interface NgramDataset extends NgramTable {
  readonly train: NgramRows;
  /** Made when first asked for. */
  readonly validation: NgramRows;
  readonly test: NgramRows;
}

const cache = new WeakMap<TextDataset, Map<string, NgramDataset>>();
/** Settings kept per dataset; beyond that the oldest goes. */
const cachedSettingsMax = 4;

export function ngramDataset(dataset: TextDataset, setting: NgramSetting): NgramDataset {
  const settings = cache.get(dataset) ?? new Map<string, NgramDataset>();
  cache.set(dataset, settings);
  const { wordNgrams, charMin, charMax, bucketBits, minCount, binary } = setting;
  const key = [wordNgrams, charMin, charMax, bucketBits, minCount, binary].join(" ");
  const found = settings.get(key);
  if (found !== undefined) return found;
  const train = bucketsOf(dataset.train, new NgramSink(setting));
  const table = tableOf(train.rows, setting);
  const later = (split: "validation" | "test") => {
    let made: NgramRows | null = null;
    return () =>
      (made ??= toRows(bucketsOf(dataset[split], new NgramSink(setting)), table, newSeen(setting, table)));
  };
  const [validation, test] = [later("validation"), later("test")];
  const made: NgramDataset = {
    ...table,
    train: toRows(train, table, newSeen(setting, table)),
    get validation() {
      return validation();
    },
    get test() {
      return test();
    },
  };
  const oldest = settings.keys().next();
  if (settings.size >= cachedSettingsMax && oldest.done !== true) settings.delete(oldest.value);
  settings.set(key, made);
  return made;
}

/** Above this the memory of one long text is not kept for those that follow. */
const keptBucketsMax = 2 ** 20;
const marksMax = 2 ** 31 - 1;

/**
 * Rows for texts outside any dataset, through a table made in training. Its memory is kept from call to call: for one text making it
 * anew would be most of the work.
 */
export class NgramReader {
  readonly #setting: NgramSetting;
  readonly #table: NgramTable;
  readonly #seen: Seen;
  #sink: NgramSink;

  constructor(setting: NgramSetting, table: NgramTable) {
    this.#setting = setting;
    this.#table = table;
    this.#seen = newSeen(setting, table);
    this.#sink = new NgramSink(setting);
  }

  rows(texts: readonly string[]): NgramRows {
    const examples = texts.map((text) => ({ text, label: 0 }));
    if (this.#sink.buckets.length > keptBucketsMax) this.#sink = new NgramSink(this.#setting);
    this.#sink.length = 0;
    return toRows(bucketsOf(examples, this.#sink), this.#table, this.#seen);
  }
}

/** The last example that had each row, by a mark of its own; null where a row counts as often as it occurs. */
type Seen = { readonly marks: Int32Array; mark: number } | null;

function newSeen({ binary }: NgramSetting, { rows }: NgramTable): Seen {
  return binary ? { marks: new Int32Array(rows), mark: 0 } : null;
}

function nextMark(seen: NonNullable<Seen>): number {
  if (seen.mark === marksMax) {
    seen.marks.fill(0);
    seen.mark = 0;
  }
  return ++seen.mark;
}

/** The table again from its rows' buckets, as a checkpoint keeps them. */
export function tableFromBuckets(buckets: Int32Array, bucketBits: number): NgramTable {
  const rowOfBucket = new Int32Array(2 ** bucketBits).fill(-1);
  buckets.forEach((bucket, row) => (rowOfBucket[bucket] = row));
  return { rowOfBucket, rows: buckets.length };
}

export function bucketsOfTable(table: NgramTable): Int32Array {
  const buckets = new Int32Array(table.rows);
  table.rowOfBucket.forEach((row, bucket) => {
    if (row >= 0) buckets[row] = bucket;
  });
  return buckets;
}

function tableOf(buckets: Int32Array, setting: NgramSetting): NgramTable {
  const counts = new Int32Array(2 ** setting.bucketBits);
  for (let index = 0; index < buckets.length; index++) {
    const bucket = buckets[index] ?? 0;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  // Counts above this are few, and their order among each other matters little.
  const countMax = 2 ** 10;
  const places = new Int32Array(countMax + 2);
  const place = (count: number) => countMax - Math.min(count, countMax);
  let rows = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0;
    if (count < setting.minCount) continue;
    rows++;
    const next = place(count) + 1;
    places[next] = (places[next] ?? 0) + 1;
  }
  for (let index = 1; index < places.length; index++)
    places[index] = (places[index] ?? 0) + (places[index - 1] ?? 0);
  const rowOfBucket = new Int32Array(counts.length).fill(-1);
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0;
    if (count < setting.minCount) continue;
    const row = places[place(count)] ?? 0;
    places[place(count)] = row + 1;
    rowOfBucket[bucket] = row;
  }
  return { rowOfBucket, rows };
}

function toRows(buckets: NgramRows, { rowOfBucket }: NgramTable, seen: Seen): NgramRows {
  const offsets = new Int32Array(buckets.offsets.length);
  const rows = new Int32Array(buckets.rows.length);
  let length = 0;
  for (let example = 0; example + 1 < offsets.length; example++) {
    const to = buckets.offsets[example + 1] ?? 0;
    const mark = seen === null ? 0 : nextMark(seen);
    for (let at = buckets.offsets[example] ?? 0; at < to; at++) {
      const row = rowOfBucket[buckets.rows[at] ?? 0] ?? -1;
      if (row < 0) continue;
      if (seen !== null) {
        if (seen.marks[row] === mark) continue;
        seen.marks[row] = mark;
      }
      rows[length++] = row;
    }
    offsets[example + 1] = length;
  }
  return { offsets, rows: rows.slice(0, length), labels: buckets.labels };
}

/** `sink`: empty. */
function bucketsOf(examples: readonly Example[], sink: NgramSink): NgramRows {
  const offsets = new Int32Array(examples.length + 1);
  const labels = new Int32Array(examples.length);
  examples.forEach(({ text, label }, index) => {
    sink.add(text);
    offsets[index + 1] = sink.length;
    labels[index] = label;
  });
  return { offsets, rows: sink.buckets.slice(0, sink.length), labels };
}
