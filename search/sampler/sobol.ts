/**
 * Sobol points: a sequence that fills the unit cube evenly, with Joe and Kuo's direction numbers, each axis scrambled
 * by the sweep's seed (Owen's nested permutations by a hash: Laine and Karras 2011, Burley 2020). Point i depends on i alone.
 */
import { paramsFrom } from "../space/active.ts";
import type { Params } from "../../protocol/value.ts";
import type { SearchProblem, SearchSampler } from "./ask.ts";
import { fromUnit } from "../space/axis.ts";
import { sizeOf } from "./leftover.ts";
import { randomStream } from "../space/random-stream.ts";
import { askSequence } from "./sequence.ts";
import { sobolTable } from "./sobol-table.ts";

const bits = 32;
const scale = 2 ** -bits;
const purpose = "search/sobol";

export const sobolSampler: SearchSampler = {
  name: "sobol",
  learns: false,
  size: sizeOf,
  unsuited: () => null,
  ask(ask) {
    return askSequence(ask, purpose, sobolTrials(ask.problem));
  },
};

/** The trials that the scrambled sequence's points stand for, by index; constraints are not looked at. */
export function sobolTrials({ seed, space }: SearchProblem): (index: number) => Params {
  const axes = new Map(Object.keys(space).map((name, axis) => [name, axis] as const));
  const points = scrambledSobol(axes.size, seed);
  return (index) => {
    const point = points(index);
    return paramsFrom(space, (name, distribution) =>
      fromUnit(distribution, point[axes.get(name) ?? 0] ?? 0.5),
    );
  };
}

const directions: readonly Uint32Array[] = [
  Uint32Array.from({ length: bits }, (_, bit) => 2 ** (bits - 1 - bit)),
  ...sobolTable
    .split(" ")
    .map((entry) => directionsOf(entry.split(",").map((text) => Number.parseInt(text, 36)))),
];

/** Axes for which there are direction numbers; the ones beyond get independent random numbers. */
export const sobolAxesMax = directions.length;

/** Joe and Kuo's recurrence for one axis; the first number is the polynomial with all its bits, then come m1, m2, ... */
function directionsOf([polynomial = 1, ...initial]: readonly number[]): Uint32Array {
  const degree = initial.length;
  const v = new Uint32Array(bits);
  for (const [bit, m] of initial.entries()) v[bit] = (m << (bits - 1 - bit)) >>> 0;
  for (let bit = degree; bit < bits; bit++) {
    const back = v[bit - degree] ?? 0;
    let value = back ^ (back >>> degree);
    for (let k = 1; k < degree; k++) {
      if (((polynomial >>> (degree - k)) & 1) === 1) value ^= v[bit - k] ?? 0;
    }
    v[bit] = value >>> 0;
  }
  return v;
}

/** Point `index` of the unscrambled sequence on one axis, as a fraction of 2³², in the published (Gray code) order. */
export function plainBits(index: number, axis: number): number {
  const v = directions[axis];
  let gray = (index ^ (index >>> 1)) >>> 0;
  let value = 0;
  for (let bit = 0; v !== undefined && gray !== 0; bit++, gray >>>= 1) {
    if ((gray & 1) === 1) value ^= v[bit] ?? 0;
  }
  return value >>> 0;
}

/** The sequence scrambled by a seed: points by index from 0, every coordinate strictly between 0 and 1. */
export function scrambledSobol(axes: number, seed: number): (index: number) => readonly number[] {
  const random = randomStream(seed, `${purpose}/scramble`, 0);
  const keys = Array.from({ length: axes }, () => Math.floor(random.next() * 2 ** bits) >>> 0);
  return (index) => {
    const beyond = axes > sobolAxesMax ? randomStream(seed, `${purpose}/beyond`, index) : null;
    return keys.map((key, axis) => {
      if (axis >= sobolAxesMax) return beyond?.next() ?? 0.5;
      return (scramble(plainBits(index, axis), key) + 0.5) * scale;
    });
  };
}

/** Permutes the bits so that each depends only on the higher ones, which is what keeps the sequence even. */
function scramble(value: number, key: number): number {
  let x = reverse(value);
  x ^= Math.imul(x, 0x3d20adea);
  x = (x + key) | 0;
  x = Math.imul(x, (key >>> 16) | 1);
  x ^= Math.imul(x, 0x05526c56);
  x ^= Math.imul(x, 0x53a22864);
  return reverse(x);
}

function reverse(value: number): number {
  let x = value;
  x = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
  return ((x >>> 16) | (x << 16)) >>> 0;
}
