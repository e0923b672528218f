/** The value of a parameter, and a trial's parameters. */
import * as z from "zod";
import { longText } from "./bound.ts";

export const valueSchema = z.union([z.number(), longText, z.boolean()]);
export type Value = z.infer<typeof valueSchema>;
export type Params = Readonly<Record<string, Value>>;

/** Names are people's, and one may be called as something that every object has: `constructor` is then not found where it is not. */
export function valueIn(params: Params, name: string): Value | undefined {
  return Object.hasOwn(params, name) ? params[name] : undefined;
}

/** Puts a value under any name, `__proto__` too, to which plain assignment does something else. */
export function putValue(params: Record<string, Value>, name: string, value: Value): void {
  if (name === "__proto__")
    Object.defineProperty(params, name, { value, configurable: true, enumerable: true, writable: true });
  else params[name] = value;
}
