/** What was found out of a version of a model by using it, as it stands in the journal and the projection. */
import * as z from "zod";
import { storedCount, storedValue } from "./stored-value.ts";

export const storedExample = z.strictObject({
  row: z.record(z.string(), storedValue.nullable()),
  answer: z.array(z.strictObject({ at: storedCount, value: z.number() })),
});

export const storedMeasured = z.strictObject({
  rowUs: z.number(),
  batchRowUs: z.number(),
  batchRows: storedCount,
  memoryBytes: storedCount,
  machine: z.string(),
});
