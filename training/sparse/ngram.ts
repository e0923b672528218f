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
  const train = bucketsOf(dataset.train, setting);
  const table = tableOf(train.rows, setting);
  const later = (split: "validation" | "test") => {
    let made: NgramRows | null = null;
    return () => (made ??= toRows(bucketsOf(dataset[split], setting), table, setting));
  };
  const [validation, test] = [later("validation"), later("test")];
  const made: NgramDataset = {
    ...table,
    train: toRows(train, table, setting),
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

/** Rows for texts outside any dataset, through a table made in training. */
export function ngramRows(texts: readonly string[], setting: NgramSetting, table: NgramTable): NgramRows {
  const examples = texts.map((text) => ({ text, label: 0 }));
  return toRows(bucketsOf(examples, setting), table, setting);
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

function toRows(
  buckets: NgramRows,
  { rowOfBucket, rows: count }: NgramTable,
  setting: NgramSetting,
): NgramRows {
  const offsets = new Int32Array(buckets.offsets.length);
  const rows = new Int32Array(buckets.rows.length);
  /** The last example that had the row. */
  const seen = new Int32Array(setting.binary ? count : 0).fill(-1);
  let length = 0;
  for (let example = 0; example + 1 < offsets.length; example++) {
    const to = buckets.offsets[example + 1] ?? 0;
    for (let at = buckets.offsets[example] ?? 0; at < to; at++) {
      const row = rowOfBucket[buckets.rows[at] ?? 0] ?? -1;
      if (row < 0) continue;
      if (setting.binary) {
        if (seen[row] === example) continue;
        seen[row] = example;
      }
      rows[length++] = row;
    }
    offsets[example + 1] = length;
  }
  return { offsets, rows: rows.slice(0, length), labels: buckets.labels };
}

function bucketsOf(examples: readonly Example[], setting: NgramSetting): NgramRows {
  const offsets = new Int32Array(examples.length + 1);
  const labels = new Int32Array(examples.length);
  const sink = new NgramSink(setting);
  examples.forEach(({ text, label }, index) => {
    sink.add(text);
    offsets[index + 1] = sink.length;
    labels[index] = label;
  });
  return { offsets, rows: sink.buckets.slice(0, sink.length), labels };
}
