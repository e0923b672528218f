/** What a trial needs of a machine. Every field left out means "anything will do". */
import * as z from "zod";
import { backendNameSchema } from "./capability.ts";
import { nameSchema } from "./name.ts";

export const requirementSchema = z.strictObject({
  /** Any of these backends. */
  backend: z.array(backendNameSchema).min(1).optional(),
  gpu: z
    .strictObject({
      vendor: z.string().optional(),
      count: z.int().min(1).default(1),
      vramGiB: z.number().positive().optional(),
    })
    .optional(),
  memGiB: z.number().positive().optional(),
  cores: z.int().min(1).optional(),
  diskGiB: z.number().positive().optional(),
  os: z.array(z.string()).min(1).optional(),
  arch: z.array(z.string()).min(1).optional(),
  cpu: z.array(z.string()).min(1).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  agents: z
    .strictObject({ only: z.array(nameSchema).optional(), not: z.array(nameSchema).optional() })
    .optional(),
});
export type Requirement = z.infer<typeof requirementSchema>;
