/** Which parameters of a space exist in a trial, and the text that identifies a trial's parameters. */
import { fulfils } from "../../protocol/condition.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { putValue, valueIn, type Params, type Value } from "../../protocol/value.ts";

/** The space's parameters, those that others depend on (`when`) before the ones that depend on them, else as stated. */
export function parameterOrder(space: Space): readonly string[] {
  const names = Object.keys(space);
  if (names.every((name) => space[name]?.when === undefined)) return names;
  const placed = new Set<string>();
  const visiting = new Set<string>();
  const place = (name: string) => {
    const distribution = Object.hasOwn(space, name) ? space[name] : undefined;
    // A cycle or a parent that does not exist leaves the parameter inactive for ever; reading the file refuses both.
    if (distribution === undefined || placed.has(name) || visiting.has(name)) return;
    visiting.add(name);
    for (const parent of Object.keys(distribution.when ?? {})) place(parent);
    placed.add(name);
  };
  for (const name of names) place(name);
  return [...placed];
}

/** A trial's parameters: `draw` is asked for the active ones only, parents first; the result has the space's own order. */
export function paramsFrom(space: Space, draw: (name: string, distribution: Distribution) => Value): Params {
  const drawn: Record<string, Value> = {};
  for (const name of parameterOrder(space)) {
    const distribution = space[name];
    if (distribution !== undefined && fulfils(distribution.when, drawn))
      putValue(drawn, name, draw(name, distribution));
  }
  const params: Record<string, Value> = {};
  for (const name of Object.keys(space)) {
    const value = valueIn(drawn, name);
    if (value !== undefined) putValue(params, name, value);
  }
  return params;
}

/** The same text for the same parameters, in whatever order they stand. */
export function keyOf(params: Params): string {
  return JSON.stringify(Object.entries(params).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
