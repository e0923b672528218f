/**
 * `when`: the condition under which a parameter exists. It names other parameters of the same space and what
 * each must be; all must hold. A parameter that is itself inactive fulfils no condition.
 */
import * as z from "zod";
import { shortText, listOf, recordOf } from "./bound.ts";
import { valueIn, valueSchema, type Params, type Value } from "./value.ts";

export const conditionSchema = z.union([
  valueSchema,
  listOf(valueSchema).min(1),
  z
    .strictObject({ min: z.number().optional(), max: z.number().optional() })
    .refine(({ max, min }) => min !== undefined || max !== undefined, "give min, max or both")
    .refine(({ max = Infinity, min = -Infinity }) => min <= max, "min is above max"),
  z.strictObject({ not: z.union([valueSchema, listOf(valueSchema).min(1)]) }),
]);
/** One value, one of several, a range of numbers with both ends in it, or anything but. */
export type Condition = z.infer<typeof conditionSchema>;

export const whenSchema = recordOf(shortText.min(1), conditionSchema);
export type When = z.infer<typeof whenSchema>;

/** True where `params` (which hold only active parameters) fulfil the condition. */
export function fulfils(when: When | undefined, params: Params): boolean {
  if (when === undefined) return true;
  return Object.entries(when).every(([name, condition]) => {
    const value = valueIn(params, name);
    return value !== undefined && holds(condition, value);
  });
}

function holds(condition: Condition, value: Value): boolean {
  if (Array.isArray(condition)) return condition.includes(value);
  if (typeof condition !== "object") return condition === value;
  if ("not" in condition) {
    return Array.isArray(condition.not) ? !condition.not.includes(value) : condition.not !== value;
  }
  const { max = Infinity, min = -Infinity } = condition;
  return typeof value === "number" && value >= min && value <= max;
}
