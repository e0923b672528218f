/**
 * The distinct trials of a space that can be listed, by index: parameters in the stated order, the last one fastest,
 * a parameter that is inactive taking no turn. Nothing is kept but the counts; constraints are the caller's business.
 */
import { fulfils } from "../../protocol/condition.ts";
import type { Space } from "../../protocol/space.ts";
import { putValue, valueIn, type Params, type Value } from "../../protocol/value.ts";
import { parameterOrder } from "./active.ts";
import { levels, nth } from "./axis.ts";

/** A parameter others depend on is gone through value by value; one with more values than this is not walked. */
const parentValuesMax = 10_000;

export interface Walk {
  readonly count: number;
  /** The trial of this index (0 first); null beyond the last. */
  at(index: number): Params | null;
}

interface Level {
  readonly name: string;
  readonly values: number;
  readonly isParent: boolean;
  /** Earlier parameters on which this level or a later one depends. */
  readonly dependsOn: readonly string[];
}

/** Null where a parameter has no list of values. */
export function walkOf(space: Space): Walk | null {
  const order = parameterOrder(space);
  const parents = new Set(order.flatMap((name) => Object.keys(space[name]?.when ?? {})));
  const stages: Level[] = [];
  for (const [index, name] of order.entries()) {
    const distribution = space[name];
    const values = distribution === undefined ? null : levels(distribution);
    if (values === null || (parents.has(name) && values > parentValuesMax)) return null;
    const later = new Set(order.slice(index).flatMap((other) => Object.keys(space[other]?.when ?? {})));
    const dependsOn = order.slice(0, index).filter((other) => later.has(other));
    stages.push({ name, values, isParent: parents.has(name), dependsOn });
  }

  const counts = new Map<string, number>();
  const below = (at: number, chosen: Record<string, Value>): number => {
    const level = stages[at];
    if (level === undefined) return 1;
    const key = JSON.stringify([at, level.dependsOn.map((name) => chosen[name] ?? null)]);
    const counted = counts.get(key);
    if (counted !== undefined) return counted;
    let count = 0;
    if (!isActive(space, level, chosen)) count = below(at + 1, chosen);
    else if (!level.isParent) count = level.values * below(at + 1, chosen);
    else
      for (let index = 0; index < level.values; index++)
        count += below(at + 1, withValue(space, level, index, chosen));
    counts.set(key, count);
    return count;
  };

  const count = below(0, {});
  return {
    count,
    at(index) {
      if (index < 0 || index >= count) return null;
      let left = index;
      let chosen: Record<string, Value> = {};
      for (const [at, level] of stages.entries()) {
        if (!isActive(space, level, chosen)) continue;
        if (!level.isParent) {
          const each = below(at + 1, chosen);
          chosen = withValue(space, level, Math.floor(left / each), chosen);
          left %= each;
          continue;
        }
        for (let value = 0; value < level.values; value++) {
          const next = withValue(space, level, value, chosen);
          const within = below(at + 1, next);
          if (left < within) {
            chosen = next;
            break;
          }
          left -= within;
        }
      }
      return inOrderOf(space, chosen);
    },
  };
}

function isActive(space: Space, { name }: Level, chosen: Params): boolean {
  return fulfils(space[name]?.when, chosen);
}

function withValue(space: Space, { name }: Level, index: number, chosen: Params): Record<string, Value> {
  const distribution = space[name];
  const value = distribution === undefined ? undefined : nth(distribution, index);
  if (value === undefined) throw new Error(`broken invariant: ${name} has no value ${index}`);
  return { ...chosen, [name]: value };
}

function inOrderOf(space: Space, params: Params): Params {
  const sorted: Record<string, Value> = {};
  for (const name of Object.keys(space)) {
    const value = valueIn(params, name);
    if (value !== undefined) putValue(sorted, name, value);
  }
  return sorted;
}
