/**
 * A dataset as token numbers, made once per dataset, unit and length; and the endless shuffled walk through
 * its training rows, in which any place can be found again from the seed alone.
 */
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { permutation } from "../tensor/seeded-stream.ts";
import { tokenRows, vocabularyOf, type TokenUnit, type Vocabulary } from "./token-window.ts";

export interface TokenDataset {
  readonly vocabulary: Vocabulary;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

const cache = new WeakMap<TextDataset, Map<string, TokenDataset>>();

export function tokenDataset(dataset: TextDataset, unit: TokenUnit, length: number): TokenDataset {
  const known = cache.get(dataset) ?? new Map<string, TokenDataset>();
  cache.set(dataset, known);
  const key = `${unit} ${length}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const vocabulary = vocabularyOf(dataset.train, unit);
  const rows = (split: "train" | "validation" | "test") =>
    tokenRows(
      dataset[split].map((example) => example.text),
      vocabulary,
      length,
    );
  const made = { vocabulary, train: rows("train"), validation: rows("validation"), test: rows("test") };
  known.set(key, made);
  return made;
}

/** Which training rows come at this place of the endless walk: pass after pass, each in its own order. */
export function rowsAt(from: number, count: number, rows: number, seed: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => {
    const at = from + index;
    return orderOf(rows, seed, Math.floor(at / rows))[at % rows] ?? 0;
  });
}

let lastOrder: { readonly key: string; readonly order: Int32Array } | null = null;

function orderOf(rows: number, seed: number, pass: number): Int32Array {
  const key = `${rows} ${seed} ${pass}`;
  if (lastOrder?.key !== key) lastOrder = { key, order: permutation(rows, seed, pass) };
  return lastOrder.order;
}

/** The given rows of a [rows, width] array, one after the other. */
export function pick<Values extends Int32Array | Float32Array>(
  from: Values,
  rows: Int32Array,
  width: number,
): Values;
export function pick(
  from: Int32Array | Float32Array,
  rows: Int32Array,
  width: number,
): Int32Array | Float32Array {
  const length = rows.length * width;
  const out = from instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  rows.forEach((row, index) => out.set(from.subarray(row * width, (row + 1) * width), index * width));
  return out;
}
