/** The value of a parameter, and a trial's parameters. */
import * as z from "zod";

export const valueSchema = z.union([z.number(), z.string(), z.boolean()]);
export type Value = z.infer<typeof valueSchema>;
export type Params = Readonly<Record<string, Value>>;
