/** Which chunks of an artifact: a first one and how many. Pure; not here: what is done with them. */

/** Chunks `first` to `first + count - 1`. */
export interface ChunkRange {
  readonly first: number;
  readonly count: number;
}

/** 2^32 chunks are 4 PiB, more than any artifact has. */
export const chunkIndexMax = 2 ** 32 - 1;

/** The fewest ranges that hold exactly these chunks, which come in rising order. */
export function rangesOf(indexes: Iterable<number>): ChunkRange[] {
  const ranges: { first: number; count: number }[] = [];
  for (const index of indexes) {
    const last = ranges.at(-1);
    if (last !== undefined && last.first + last.count === index) last.count++;
    else ranges.push({ first: index, count: 1 });
  }
  return ranges;
}

/** Every chunk of the ranges, in their order. */
export function* chunksOf(ranges: Iterable<ChunkRange>): Iterable<number> {
  for (const { count, first } of ranges) for (let at = 0; at < count; at++) yield first + at;
}

/** How many chunks the ranges have. */
export function countOf(ranges: Iterable<ChunkRange>): number {
  let count = 0;
  for (const range of ranges) count += range.count;
  return count;
}
