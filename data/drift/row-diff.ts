/** Which rows came, went, or stand under another label, by what rows are known by. How often a row stands does not count. */
import type { DatasetSide } from "./dataset-side.ts";
import { diffListedMost, type DatasetDiff } from "./diff.ts";

export function rowDiff(a: DatasetSide, b: DatasetSide): DatasetDiff["rows"] {
  const inA = rowsByKey(a);
  const inB = rowsByKey(b);
  const removed = missingFrom(a, inB);
  const added = missingFrom(b, inA);
  const relabelled: DatasetDiff["rows"]["relabelled"]["listed"] = [];
  let relabelledRows = 0;
  for (const [key, rowsB] of inB) {
    const rowsA = inA.get(key);
    if (rowsA === undefined) continue;
    // Numbers to predict differ by nature where a row stands more than once.
    if (a.labels === null && (rowsA.length > 1 || rowsB.length > 1)) continue;
    const labelsA = new Set(rowsA.map((row) => a.places[row]?.label));
    const labelsB = new Set(rowsB.map((row) => b.places[row]?.label));
    if (labelsA.size === labelsB.size && [...labelsA].every((label) => labelsB.has(label))) continue;
    // The row to show on each side is one whose label the other side does not have.
    const rowB = rowsB.find((row) => !labelsA.has(b.places[row]?.label)) ?? rowsB[0];
    const rowA = rowsA.find((row) => !labelsB.has(a.places[row]?.label)) ?? rowsA[0];
    relabelledRows += rowsB.filter((row) => !labelsA.has(b.places[row]?.label)).length;
    const [placeA, placeB] = [a.places[rowA ?? -1], b.places[rowB ?? -1]];
    if (placeA === undefined || placeB === undefined || relabelled.length >= diffListedMost) continue;
    const { text, ...restB } = placeB;
    const { text: _, ...restA } = placeA;
    relabelled.push({ text, a: restA, b: restB });
  }
  return {
    common: b.places.length - added.length,
    added: listed(b, added),
    removed: listed(a, removed),
    relabelled: { rows: relabelledRows, listed: relabelled },
  };
}

function rowsByKey({ keys }: DatasetSide): ReadonlyMap<number, readonly number[]> {
  return Map.groupBy(keys.keys(), (row) => keys[row] ?? 0);
}

function missingFrom({ keys }: DatasetSide, other: ReadonlyMap<number, unknown>): readonly number[] {
  return [...keys.keys()].filter((row) => !other.has(keys[row] ?? 0));
}

function listed({ places }: DatasetSide, rows: readonly number[]): DatasetDiff["rows"]["added"] {
  return { rows: rows.length, listed: rows.slice(0, diffListedMost).flatMap((row) => places[row] ?? []) };
}
