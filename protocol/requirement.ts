/** What a trial needs of a machine. Every field left out means "anything will do". */
import * as z from "zod";
import { shortText, listOf, recordOf } from "./bound.ts";
import { backendNameSchema, dtypeNames } from "./capability.ts";
import { nameSchema } from "./name.ts";
import { sandboxRungSchema } from "./sandbox-rung.ts";
import { readPythonRequirement } from "./python-requirement.ts";

const packagesMax = 100;

/** As pip takes them, without where they come from: `torch>=2`. */
export const pythonRequirementText = shortText.superRefine((text, context) => {
  const read = readPythonRequirement(text);
  if (!read.ok) context.addIssue({ code: "custom", message: read.refusal.message });
});
export const pythonRequirements = listOf(pythonRequirementText, packagesMax).min(1);

export const requirementSchema = z.strictObject({
  /** Any of these backends. */
  backend: listOf(backendNameSchema).min(1).optional(),
  gpu: z
    .strictObject({
      vendor: shortText.optional(),
      count: z.int().min(1).default(1),
      vramGiB: z.number().positive().optional(),
      /** NVIDIA's compute capability, at least. */
      computeCapability: z.number().positive().optional(),
    })
    .optional(),
  memGiB: z.number().positive().optional(),
  cores: z.int().min(1).optional(),
  diskGiB: z.number().positive().optional(),
  os: listOf(shortText).min(1).optional(),
  arch: listOf(shortText).min(1).optional(),
  /** Processor features: avx2, avx512, amx, neon; all of them. */
  cpu: listOf(shortText).min(1).optional(),
  /** Number formats that must work on the backend; all of them. */
  dtype: listOf(z.enum(dtypeNames)).min(1).optional(),
  /** A Python of this version or later, such as 3.11. */
  python: shortText
    .regex(
      /^\d+(\.\d+){0,2}$/,
      'a version looks like "3.11"; what must be installed is a list, as in [pandas]',
    )
    .optional(),
  /** What must be installed in that Python; all of it. */
  packages: pythonRequirements.optional(),
  /** What confines its program there, at least. */
  sandbox: sandboxRungSchema.optional(),
  labels: recordOf(shortText, shortText).optional(),
  agents: z
    .strictObject({ only: listOf(nameSchema).min(1).optional(), not: listOf(nameSchema).optional() })
    .refine(
      ({ not = [], only }) => only === undefined || only.some((name) => !not.includes(name)),
      "`only` names no agent that `not` leaves",
    )
    .optional(),
});
export type Requirement = z.infer<typeof requirementSchema>;

/** What a trial would rather have. It orders the agents that fit and never rules one out. */
export const preferenceSchema = z.strictObject({
  /** `fastest`: the sooner done the better. `cheapest`: the fewer tokens the better. */
  first: z.enum(["fastest", "cheapest"]).default("fastest"),
  /** Where its dataset and checkpoint lie already, rather than elsewhere. */
  nearData: z.boolean().default(true),
  labels: recordOf(shortText, shortText).default({}),
});
