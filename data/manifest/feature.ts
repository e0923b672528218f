/**
 * Features as they were fitted on a training split and frozen: what a raw value becomes, in training and in serving
 * alike. Each column of raw values makes one or more numbers; a missing value always has an answer.
 */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";

export const frozenFeatureSchema = z.discriminatedUnion("kind", [
  /** (value - offset) * factor, with `fill` for a missing value. */
  z.strictObject({
    kind: z.literal("numeric"),
    column: storedText,
    scale: z.enum(["standard", "minmax", "none"]),
    fill: z.number(),
    offset: z.number(),
    factor: z.number(),
  }),
  /** One number for each value, 1 where it is that, and a last one for any other and for none. */
  z.strictObject({ kind: z.literal("categories"), column: storedText, values: storedList(storedText) }),
  /** One number for each bucket; bucket i holds values above bounds[i - 1] up to bounds[i]. */
  z.strictObject({
    kind: z.literal("buckets"),
    column: storedText,
    fill: z.number(),
    bounds: storedList(z.number()),
  }),
]);
export type FrozenFeature = z.infer<typeof frozenFeatureSchema>;

/** Stands in a name for every value that is none of the known categories. */
export const unknownCategory = "?";

/** Names of the numbers that a feature makes, in order. */
export function namesOf(feature: FrozenFeature): readonly string[] {
  const { column } = feature;
  switch (feature.kind) {
    case "numeric":
      return [column];
    case "categories":
      return [...feature.values.map((value) => `${column}=${value}`), `${column}=${unknownCategory}`];
    case "buckets":
      return Array.from({ length: feature.bounds.length + 1 }, (_, index) => `${column}[${index}]`);
  }
}
