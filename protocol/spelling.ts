/**
 * What the values of a space stand for where they are not that themselves: a whole number of many digits, 1.0, null, a list.
 * A space holds numbers, texts and booleans; the JSON that a program is to get stands beside it.
 */
import type { Params, Value } from "./value.ts";

/** By parameter, and by its value's JSON: the JSON that the value stands for, digit for digit. */
export type Spelling = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The JSON of what a parameter's value stands for. */
export function spelled(spelling: Spelling, name: string, value: Value): string {
  const key = JSON.stringify(value);
  const known = Object.hasOwn(spelling, name) ? spelling[name] : undefined;
  return known !== undefined && Object.hasOwn(known, key) ? (known[key] ?? key) : key;
}

/** A trial's parameters as one JSON object. */
export function spelledParams(spelling: Spelling, params: Params): string {
  return jsonObject(Object.entries(params).map(([name, value]) => [name, spelled(spelling, name, value)]));
}

/** Of names and their JSON. */
export function jsonObject(entries: Iterable<readonly [string, string]>): string {
  return `{${[...entries].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}
