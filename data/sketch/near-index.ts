/**
 * Finds sets that overlap by a threshold or more without comparing all with all: MinHash signatures cut into bands, sets
 * that agree in a whole band are compared by their true overlap (locality-sensitive hashing; Leskovec, Rajaraman, Ullman,
 * Mining of Massive Datasets, ch. 3). Whatever it joins does overlap; a pair right at the threshold is missed with a chance
 * of `missShareMost` at most, one above it with less. Groups are chains: their ends may overlap by less.
 */
import * as z from "zod";
import { storedList } from "../../protocol/bound.ts";
import { minHash, minHashHashes, minHashSchema } from "./min-hash.ts";
import { jaccard } from "./shingle.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

const missShareMost = 0.005;
/** Members of a crowded bucket that a newcomer is compared with: the first of it and the latest. */
const comparedMost = 12;

export const nearIndexSchema = z.strictObject({
  threshold: z.number().gt(0).max(1),
  sets: storedList(
    z.strictObject({
      id: z.int().nonnegative(),
      shingles: storedList(z.int().nonnegative()),
      signature: minHashSchema,
    }),
  ),
});
export type NearIndexJson = z.infer<typeof nearIndexSchema>;

interface Entry {
  readonly id: number;
  readonly shingles: Uint32Array;
  parent: Entry | null;
}

/** Rows per band: the most with which a pair at the threshold is still missed seldom enough. */
export function rowsPerBand(threshold: number): number {
  for (let rows = 10; rows > 1; rows--) {
    const bands = Math.floor(minHashHashes / rows);
    if ((1 - threshold ** rows) ** bands <= missShareMost) return rows;
  }
  return 1;
}

export class NearIndex {
  readonly #threshold: number;
  readonly #rows: number;
  /** Most buckets hold one set for good: it stands there without an array around it. */
  readonly #bands: Map<number, Entry | Entry[]>[];
  readonly #entries: Entry[] = [];

  constructor(threshold: number) {
    this.#threshold = threshold;
    this.#rows = rowsPerBand(threshold);
    this.#bands = Array.from(
      { length: Math.floor(minHashHashes / this.#rows) },
      () => new Map<number, Entry | Entry[]>(),
    );
  }

  /** An id of the caller's and a sorted set of shingles; an empty set is near nothing. */
  add(id: number, shingles: Uint32Array): void {
    this.#place({ id, shingles, parent: null }, minHash(shingles));
  }

  merge(other: NearIndex): void {
    for (const { id, shingles } of other.#entries) this.add(id, shingles);
  }

  /** Groups of two and more ids, each ascending, by their first id. */
  groups(): number[][] {
    return [...Map.groupBy(this.#entries, rootOf).values()]
      .filter((entries) => entries.length > 1)
      .map((entries) => entries.map(({ id }) => id).sort((a, b) => a - b))
      .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  }

  toJSON(): NearIndexJson {
    return {
      threshold: this.#threshold,
      sets: this.#entries.map(({ id, shingles }) => ({
        id,
        shingles: [...shingles],
        signature: [...minHash(shingles)],
      })),
    };
  }

  static from(json: NearIndexJson): NearIndex {
    const index = new NearIndex(json.threshold);
    for (const { id, shingles, signature } of json.sets) {
      index.#place({ id, shingles: Uint32Array.from(shingles), parent: null }, Uint32Array.from(signature));
    }
    return index;
  }

  #place(entry: Entry, signature: Uint32Array): void {
    if (entry.shingles.length === 0) return;
    this.#entries.push(entry);
    for (const [band, buckets] of this.#bands.entries()) {
      let key = band;
      for (let row = 0; row < this.#rows; row++)
        key = mixUnsigned(key ^ (signature[band * this.#rows + row] ?? 0));
      const bucket = buckets.get(key);
      if (bucket === undefined) {
        buckets.set(key, entry);
      } else if (Array.isArray(bucket)) {
        this.#join(entry, bucket);
        bucket.push(entry);
      } else {
        this.#join(entry, [bucket]);
        buckets.set(key, [bucket, entry]);
      }
    }
  }

  #join(entry: Entry, bucket: readonly Entry[]): void {
    const latest = bucket.slice(Math.max(1, bucket.length - comparedMost + 1));
    for (const other of [...bucket.slice(0, 1), ...latest]) {
      const [a, b] = [rootOf(entry), rootOf(other)];
      if (a !== b && jaccard(entry.shingles, other.shingles) >= this.#threshold) b.parent = a;
    }
  }
}

function rootOf(entry: Entry): Entry {
  let root = entry;
  while (root.parent !== null) root = root.parent;
  for (let at = entry; at.parent !== null;) {
    const next: Entry = at.parent;
    at.parent = root;
    at = next;
  }
  return root;
}
