/**
 * Seeded random streams for training. Each purpose and epoch has a stream of its own, made from the
 * trial's seed, so that a checkpoint need only say how far it is. Not for search: trials are sampled elsewhere.
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mix } from "../../numeric/mix.ts";

const unit = 2 ** -32;

export interface Stream {
  /** Uniform in [0, 1). */
  next(): number;
}

export function stream(seed: number, purpose: string, number: number): Stream {
  let mixed = mix(seed | 0);
  for (let index = 0; index < purpose.length; index++) mixed = mix(mixed ^ purpose.charCodeAt(index));
  const generator = xoroshiro128plus(mix(mixed ^ mix(number + 1)));
  return { next: () => (generator.next() >>> 0) * unit };
}

/** The order of `length` examples in the given epoch (Fisher-Yates). */
export function permutation(length: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length }, (_, index) => index);
  const random = stream(seed, "order", epoch);
  for (let index = length - 1; index > 0; index--) {
    const other = Math.floor(random.next() * (index + 1));
    const held = order[index] ?? 0;
    order[index] = order[other] ?? 0;
    order[other] = held;
  }
  return order;
}
