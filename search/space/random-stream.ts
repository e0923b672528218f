/**
 * Seeded random streams: one per sweep, purpose and position, so that adding a trial disturbs no
 * other and a replay draws the same numbers. Not for secrets.
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { fnv1a } from "../../numeric/fnv.ts";

export interface RandomStream {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
}

const low = 2 ** 26;
const high = 2 ** 27;

export function randomStream(seed: number, purpose: string, position: number): RandomStream {
  const generator = xoroshiro128plus(fnv1a(`${seed}/${purpose}/${position}`));
  // Neighbouring seeds start out alike; a few steps part them.
  for (let step = 0; step < 4; step++) generator.next();
  return {
    next() {
      const a = (generator.next() >>> 0) >>> 5;
      const b = (generator.next() >>> 0) >>> 6;
      return (a * low + b) / (high * low);
    },
  };
}
