/** A function that samplers are raced on. Written once: a peer in another language asks for values. */
import type { Space } from "../../protocol/space.ts";
import type { Params, Value } from "../../protocol/value.ts";

export interface BenchFunction {
  readonly name: string;
  /** Parents stand before the parameters that depend on them. */
  readonly space: Space;
  /** The least `value` there is. */
  readonly optimum: number;
  /** Standard deviation of what a sampler is told around `value`; 0 for exact functions. */
  readonly noise: number;
  /** Smaller is better. */
  value(params: Params): number;
}

export function numberIn(params: Params, name: string): number {
  const value: Value | undefined = params[name];
  if (typeof value !== "number") throw new Error(`${name} is ${JSON.stringify(value)}, not a number`);
  return value;
}
