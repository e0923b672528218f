/**
 * Hashed n-grams: a text becomes row numbers of a weight table, made once per dataset and setting.
 * Words are what white space separates, in lower case; character n-grams lie within `<word>`, as in
 * fastText (Bojanowski et al. 2017). Buckets not seen often enough in training have no row at all.
 */
import type { TextDataset, Example } from "../../data/dataset.ts";
import { mix } from "./random.ts";

export interface NgramSetting {
  /** Longest word n-gram, in words. */
  readonly wordNgrams: number;
  /** Character n-grams from `charMin` to `charMax` characters; `charMax` 0 means none. */
  readonly charMin: number;
  readonly charMax: number;
  /** 2 ** bucketBits hash buckets. */
  readonly bucketBits: number;
  /** Occurrences in the training split below which a bucket is left out. */
  readonly minCount: number;
}

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
  readonly validation: NgramRows;
  readonly test: NgramRows;
}

const cache = new WeakMap<TextDataset, Map<string, NgramDataset>>();
/** Settings kept per dataset; beyond that the oldest goes. */
const cachedSettingsMax = 4;

export function ngramDataset(dataset: TextDataset, setting: NgramSetting): NgramDataset {
  const settings = cache.get(dataset) ?? new Map<string, NgramDataset>();
  cache.set(dataset, settings);
  const { wordNgrams, charMin, charMax, bucketBits, minCount } = setting;
  const key = [wordNgrams, charMin, charMax, bucketBits, minCount].join(" ");
  const found = settings.get(key);
  if (found !== undefined) return found;
  const train = bucketsOf(dataset.train, setting);
  const table = tableOf(train.rows, setting);
  const made: NgramDataset = {
    ...table,
    train: toRows(train, table),
    validation: toRows(bucketsOf(dataset.validation, setting), table),
    test: toRows(bucketsOf(dataset.test, setting), table),
  };
  const oldest = settings.keys().next();
  if (settings.size >= cachedSettingsMax && oldest.done !== true) settings.delete(oldest.value);
  settings.set(key, made);
  return made;
}

/** Rows for texts outside any dataset, through a table made in training. */
export function ngramRows(texts: readonly string[], setting: NgramSetting, table: NgramTable): NgramRows {
  return toRows(
    bucketsOf(
      texts.map((text) => ({ text, label: 0 })),
      setting,
    ),
    table,
  );
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
  const rowOfBucket = new Int32Array(counts.length).fill(-1);
  let rows = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    if ((counts[bucket] ?? 0) >= setting.minCount) rowOfBucket[bucket] = rows++;
  }
  return { rowOfBucket, rows };
}

function toRows(buckets: NgramRows, table: NgramTable): NgramRows {
  const offsets = new Int32Array(buckets.offsets.length);
  const rows = new Int32Array(buckets.rows.length);
  let length = 0;
  for (let example = 0; example + 1 < offsets.length; example++) {
    const to = buckets.offsets[example + 1] ?? 0;
    for (let at = buckets.offsets[example] ?? 0; at < to; at++) {
      const row = table.rowOfBucket[buckets.rows[at] ?? 0] ?? -1;
      if (row >= 0) rows[length++] = row;
    }
    offsets[example + 1] = length;
  }
  return { offsets, rows: rows.slice(0, length), labels: buckets.labels };
}

function bucketsOf(examples: readonly Example[], setting: NgramSetting): NgramRows {
  const offsets = new Int32Array(examples.length + 1);
  const sink = { buckets: new Int32Array(1 << 16), length: 0 };
  examples.forEach(({ text }, index) => {
    addText(text, setting, sink);
    offsets[index + 1] = sink.length;
  });
  return {
    offsets,
    rows: sink.buckets.slice(0, sink.length),
    labels: Int32Array.from(examples, (example) => example.label),
  };
}

interface Sink {
  buckets: Int32Array;
  length: number;
}

const wordSalt = 0x3c6ef372;
const charSalt = 0x1b873593;
/** Stands before the first word in word n-grams of two and more: how a text begins says much about it. */
const textStart = 0x5bd1e995;

function addText(text: string, setting: NgramSetting, sink: Sink): void {
  const mask = 2 ** setting.bucketBits - 1;
  const hashes: number[] = [textStart];
  for (const word of text.normalize("NFC").toLowerCase().split(/\s+/u)) {
    if (word === "") continue;
    const marked = `<${word}>`;
    hashes.push(hashOf(marked, 0, marked.length, wordSalt));
    if (setting.charMax === 0) continue;
    for (let from = 0; from < marked.length; from++) {
      for (let size = setting.charMin; size <= setting.charMax && from + size <= marked.length; size++) {
        if (size === 1 && (from === 0 || from === marked.length - 1)) continue;
        push(sink, hashOf(marked, from, from + size, charSalt) & mask);
      }
    }
  }
  for (let from = 0; from < hashes.length; from++) {
    let hash = 0;
    for (let size = 1; size <= setting.wordNgrams && from + size <= hashes.length; size++) {
      hash = mix(Math.imul(hash, 31) + (hashes[from + size - 1] ?? 0));
      if (from > 0 || size > 1) push(sink, hash & mask);
    }
  }
}

/** FNV-1a over UTF-16 code units, finished so that the low bits are as good as the high ones. */
function hashOf(text: string, from: number, to: number, salt: number): number {
  let hash = 0x811c9dc5 ^ salt;
  for (let index = from; index < to; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

function push(sink: Sink, bucket: number): void {
  if (sink.length === sink.buckets.length) {
    const larger = new Int32Array(sink.length * 2);
    larger.set(sink.buckets);
    sink.buckets = larger;
  }
  sink.buckets[sink.length++] = bucket;
}
