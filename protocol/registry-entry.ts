/** How a command names what is on record: a model or a dataset, as a whole or one version of it. */
import * as z from "zod";
import { nameSchema } from "./name.ts";

/** A version by its number, by an alias that points to it, or as `best` or `newest`. */
export const versionNameSchema = z.union([z.int().positive(), nameSchema]);

/** `version` null: all of it. A dataset's version has a number, or is the `newest`. */
export const registryEntry = {
  of: z.enum(["model", "dataset"]),
  name: nameSchema,
  version: versionNameSchema.nullable().default(null),
};
const registryEntrySchema = z.strictObject(registryEntry);
export type RegistryEntry = z.infer<typeof registryEntrySchema>;
