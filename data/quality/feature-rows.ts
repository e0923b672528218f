/**
 * Texts as sparse rows: which features stand in each, not how often. Features are hashed into buckets; what stands in too
 * few rows to tell anything is left out. What a feature is stands in `text-feature.ts`.
 */

/** Rows in compressed form: row r has the entries `offsets[r]` to `offsets[r + 1]`. */
export interface FeatureRows {
  readonly rows: number;
  readonly width: number;
  readonly offsets: Int32Array;
  /** Feature of each entry, each at most once in a row. */
  readonly features: Int32Array;
}

const bucketBits = 22;

/** `hashesOf` gives a row's features as 32-bit hashes, repeats allowed; a feature must stand in `rowsLeast` rows. */
export function featureRows(
  rows: number,
  hashesOf: (row: number) => Iterable<number>,
  rowsLeast: number,
): FeatureRows {
  const standsIn = new Int32Array(1 << bucketBits);
  const buckets: Int32Array[] = [];
  for (let row = 0; row < rows; row++) {
    const own = new Set<number>();
    for (const hash of hashesOf(row)) own.add(hash >>> (32 - bucketBits));
    for (const bucket of own) standsIn[bucket] = (standsIn[bucket] ?? 0) + 1;
    buckets.push(Int32Array.from(own));
  }
  const numberOf = new Int32Array(1 << bucketBits).fill(-1);
  let width = 0;
  let entries = 0;
  for (const [bucket, count] of standsIn.entries()) {
    if (count < rowsLeast) continue;
    numberOf[bucket] = width++;
    entries += count;
  }
  const offsets = new Int32Array(rows + 1);
  const features = new Int32Array(entries);
  let filled = 0;
  for (const [row, own] of buckets.entries()) {
    for (const bucket of own) {
      const feature = numberOf[bucket] ?? -1;
      if (feature !== -1) features[filled++] = feature;
    }
    offsets[row + 1] = filled;
  }
  return { rows, width, offsets, features };
}
