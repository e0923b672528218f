/**
 * `where`: a relation that must hold between parameters of one trial, as a polynomial against zero:
 * `layers * width <= 512` is `layers * width - 512 <= 0`. How people write it is the sweep file's business.
 */
import * as z from "zod";
import { shortText, sentenceText, listOf } from "./bound.ts";
import { valueIn, type Params } from "./value.ts";

export const constraintSchema = z.strictObject({
  /** As it was written, for messages. */
  text: sentenceText.min(1),
  /** The sum of coefficient × product of parameters; no parameters means a constant. */
  terms: listOf(z.strictObject({ coefficient: z.number(), parameters: listOf(shortText.min(1)) })).min(1),
  relation: z.enum(["<=", "<", "==", "!="]),
});
export type Constraint = z.infer<typeof constraintSchema>;

/** Rounding of sums is forgiven up to this share of the largest term. */
const tolerance = 1e-9;

/** How far the polynomial is from zero; null where a parameter in it is inactive, and the constraint says nothing. */
export function polynomialOf(constraint: Constraint, params: Params): number | null {
  let sum = 0;
  for (const { coefficient, parameters } of constraint.terms) {
    let product = coefficient;
    for (const name of parameters) {
      const value = valueIn(params, name);
      if (typeof value !== "number") return null;
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** True where the constraint holds, or says nothing about a trial without one of its parameters. */
export function satisfies(constraint: Constraint, params: Params): boolean {
  const value = polynomialOf(constraint, params);
  if (value === null) return true;
  const slack = tolerance * Math.max(1, ...constraint.terms.map(({ coefficient }) => Math.abs(coefficient)));
  switch (constraint.relation) {
    case "<=":
      return value <= slack;
    case "<":
      return value < 0;
    case "==":
      return Math.abs(value) <= slack;
    case "!=":
      return Math.abs(value) > slack;
  }
}
