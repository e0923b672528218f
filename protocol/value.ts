/** The value of a parameter, and a trial's parameters. */
import * as z from "zod";
import { textOf, valueCharactersMax } from "./bound.ts";

export const valueSchema = z.union([z.number(), textOf(valueCharactersMax), z.boolean()]);
export type Value = z.infer<typeof valueSchema>;
export type Params = Readonly<Record<string, Value>>;
