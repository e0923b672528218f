/** A number in JSON that another program wrote: JSON has no words for what is not finite, so such a number comes as text. */
import * as z from "zod";

export const spokenNumber = z.union([
  z.number(),
  z.enum(["NaN", "Infinity", "-Infinity"]).transform((word) => Number(word)),
]);
