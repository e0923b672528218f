/**
 * A space as the coordinates a Gaussian process measures distances in. A point is a flat row: numbers on their unit
 * axis, categories as the index of their value, -1 where a parameter is inactive; then the resource where it varies.
 * Constants have no coordinate.
 */
import { fulfils } from "../../protocol/condition.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { putValue, valueIn, type Params, type Value } from "../../protocol/value.ts";
import { parameterOrder, paramsFrom } from "../space/active.ts";
import { fromUnit, levels, listed, toUnit } from "../space/axis.ts";

/** Numbers with more levels than this are searched as if they were continuous, and snapped at the end. */
const levelsMax = 64;

export interface Axis {
  readonly name: string;
  readonly distribution: Distribution;
  /** The values of a category, whose coordinate is an index here; null for numbers. */
  readonly values: readonly Value[] | null;
  /** Coordinates of the levels of a number with few of them; null for continuous ones and categories. */
  readonly grid: readonly number[] | null;
}

/** Coordinates in this order, so that distances need no test per coordinate: always active numbers, the others, categories. */
export interface Frame {
  readonly space: Space;
  readonly axes: readonly Axis[];
  /** The coordinate of a parameter by its name. */
  readonly coordinates: ReadonlyMap<string, number>;
  /** Coordinates of a point: the axes and, where it varies, the resource. */
  readonly size: number;
  /** Numbers that are always active come first, as many as this; the resource is the last of them. */
  readonly plain: number;
  /** Categories begin here; conditional numbers stand before. */
  readonly categories: number;
  /** Index of the resource's coordinate, or -1. */
  readonly resource: number;
  /** Parameters that others depend on, parents first; empty where nothing is conditional. */
  readonly parents: readonly string[];
}

export function frameOf(space: Space, withResource: boolean): Frame {
  const plain: Axis[] = [];
  const conditional: Axis[] = [];
  const categories: Axis[] = [];
  for (const [name, distribution] of Object.entries(space)) {
    const count = levels(distribution);
    if (count === 1) continue;
    if (distribution.distribution === "choice") {
      categories.push({ name, distribution, values: listed(distribution) ?? [], grid: null });
      continue;
    }
    const few = count !== null && count <= levelsMax ? (listed(distribution) ?? []) : null;
    const grid = few && few.map((value) => toUnit(distribution, value));
    (distribution.when === undefined ? plain : conditional).push({ name, distribution, values: null, grid });
  }
  const extra = withResource ? 1 : 0;
  const asked = new Set(Object.values(space).flatMap(({ when }) => Object.keys(when ?? {})));
  const axes = [...plain, ...conditional, ...categories];
  const shift = (index: number) => (index < plain.length ? index : index + extra);
  return {
    space,
    axes,
    coordinates: new Map(axes.map(({ name }, index) => [name, shift(index)])),
    size: plain.length + conditional.length + categories.length + extra,
    plain: plain.length + extra,
    categories: plain.length + extra + conditional.length,
    resource: withResource ? plain.length : -1,
    parents: parameterOrder(space).filter((name) => asked.has(name)),
  };
}

/** The axis a coordinate belongs to; undefined for the resource. */
export function axisAt({ axes, resource }: Frame, coordinate: number): Axis | undefined {
  if (resource < 0 || coordinate < resource) return axes[coordinate];
  return coordinate === resource ? undefined : axes[coordinate - 1];
}

/** Writes the point of a trial's parameters; `resource` is 0 to 1. */
export function encode(frame: Frame, params: Params, resource: number, into: Float64Array): void {
  for (let at = 0; at < frame.size; at++) {
    const axis = axisAt(frame, at);
    if (axis === undefined) {
      into[at] = resource;
      continue;
    }
    const value = valueIn(params, axis.name);
    if (value === undefined) into[at] = -1;
    else if (axis.values === null) into[at] = toUnit(axis.distribution, value);
    else into[at] = axis.values.indexOf(value);
  }
}

/** The parameters of a full point (one with a coordinate for every axis, active or not). */
export function decode(frame: Frame, full: Float64Array): Params {
  return paramsFrom(frame.space, (name, distribution) => {
    const coordinate = frame.coordinates.get(name);
    const axis = coordinate === undefined ? undefined : axisAt(frame, coordinate);
    if (coordinate === undefined || axis === undefined) return fromUnit(distribution, 0.5);
    return valueAt(axis, full[coordinate] ?? 0.5);
  });
}

function valueAt({ distribution, values }: Axis, coordinate: number): Value {
  return values?.[Math.max(0, coordinate)] ?? fromUnit(distribution, coordinate);
}

/** The values of some parameters of a masked point, for constraints; inactive ones and constants that stand nowhere are left out. */
export function valuesIn(frame: Frame, masked: Float64Array, names: readonly string[]): Params {
  const values: Record<string, Value> = {};
  for (const name of names) {
    const coordinate = frame.coordinates.get(name);
    const axis = coordinate === undefined ? undefined : axisAt(frame, coordinate);
    const share = coordinate === undefined ? 0 : (masked[coordinate] ?? 0);
    const distribution = frame.space[name];
    if (axis === undefined) {
      // One value only, so it has no coordinate.
      if (distribution !== undefined) putValue(values, name, fromUnit(distribution, 0.5));
    } else if (share >= 0) putValue(values, name, valueAt(axis, share));
  }
  return values;
}

/** Copies a full point with -1 where its own values leave a parameter inactive. */
export function mask(frame: Frame, full: Float64Array, into: Float64Array): void {
  into.set(full);
  if (frame.parents.length === 0) return;
  const known: Record<string, Value> = {};
  for (const name of frame.parents) {
    const distribution = frame.space[name];
    if (distribution === undefined || !fulfils(distribution.when, known)) continue;
    const coordinate = frame.coordinates.get(name) ?? -1;
    const axis = coordinate < 0 ? undefined : axisAt(frame, coordinate);
    const value = axis === undefined ? fromUnit(distribution, 0.5) : valueAt(axis, full[coordinate] ?? 0.5);
    putValue(known, name, value);
  }
  for (let at = 0; at < frame.size; at++) {
    const when = axisAt(frame, at)?.distribution.when;
    if (when !== undefined && !fulfils(when, known)) into[at] = -1;
  }
}

/** Puts every coordinate of a number with few levels on the nearest of them. */
export function snap(frame: Frame, full: Float64Array): void {
  for (let at = 0; at < frame.categories; at++) {
    const grid = axisAt(frame, at)?.grid;
    if (grid) full[at] = grid[nearest(grid, full[at] ?? 0)] ?? 0;
  }
}

export function nearest(grid: readonly number[], u: number): number {
  let best = 0;
  for (let index = 1; index < grid.length; index++) {
    if (Math.abs((grid[index] ?? 0) - u) < Math.abs((grid[best] ?? 0) - u)) best = index;
  }
  return best;
}
