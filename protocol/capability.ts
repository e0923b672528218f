/**
 * What an agent's machine can really do, as its probe measured it, and what its owner allows.
 * What could not be found out is null, never zero.
 */
import * as z from "zod";
import {
  shortText,
  textOf,
  cutRecord,
  cutText,
  listOf,
  nameCharactersMax,
  recordOf,
  sentenceCharactersMax,
} from "./bound.ts";
import { nameSchema } from "./name.ts";
import { sandboxViewSchema } from "./sandbox-rung.ts";
import { programsAllowed } from "./program.ts";

export const backendNames = [
  "tfjs-node-gpu",
  "tfjs-node",
  "webgpu",
  "wasm",
  "cpu",
  "sparse",
  "none",
] as const;
export const backendNameSchema = z.enum(backendNames);
export type BackendName = z.infer<typeof backendNameSchema>;

export const dtypeNames = ["f16", "bf16", "f32", "f64"] as const;

export const gpuSchema = z.object({
  vendor: shortText,
  model: shortText,
  vramGiB: z.number().nonnegative().nullable(),
  /** NVIDIA's, such as 8.9; null for others and where it could not be found out. */
  computeCapability: z.number().positive().nullable().default(null),
});

export const hostSchema = z.object({
  os: shortText,
  arch: shortText,
  cpuModel: shortText,
  cores: z.int().positive(),
  memGiB: z.number().positive(),
  diskGiB: z.number().nonnegative().nullable(),
  gpus: listOf(gpuSchema),
  cpuFeatures: listOf(shortText),
});
export type Host = z.infer<typeof hostSchema>;

export const backendReportSchema = z.object({
  name: backendNameSchema,
  /** True only if gradients ran in a probe and gave the right answer. */
  works: z.boolean(),
  reason: cutText(sentenceCharactersMax).nullable(),
  version: shortText.nullable(),
  /** Number formats whose arithmetic was right in the probe. */
  dtypes: listOf(z.enum(dtypeNames)).default(["f32"]),
  /** Share of the processors that others used while it was measured; left out where that was little. */
  load: z.number().min(0).max(1).exactOptional(),
});

export const rateSchema = z.object({
  /** `<task>/<model>`, such as `text-classification/fasttext`. */
  kind: shortText,
  backend: backendNameSchema,
  examplesPerSecond: z.number().nonnegative(),
  /** Measured speed over the reference machine's. */
  tokensPerSecond: z.number().positive(),
});

/** A large collection of scientific packages has some hundred; what is beyond is not asked for. */
const packagesMax = 4_000;

export const capabilitySchema = z.object({
  host: hostSchema,
  node: shortText,
  backends: listOf(backendReportSchema),
  rates: listOf(rateSchema),
  labels: recordOf(shortText, shortText),
  /** Version of the Python that programs get, such as 3.12.4; null where there is none. */
  python: shortText.nullable().default(null),
  /** What that Python has installed, by normal name (PEP 503), with its version; left out where it was not asked or did not answer. */
  packages: cutRecord(shortText, nameCharactersMax, packagesMax).exactOptional(),
  /** What is installed there, in short: another text means that something has changed. */
  environment: shortText.exactOptional(),
  /** What secrets are sealed to for this agent, an X25519 key as base64url; left out where no programs run. */
  sealKey: shortText.exactOptional(),
  /** What confines programs there; left out where none run, and by an agent of before there was one. */
  sandbox: sandboxViewSchema.exactOptional(),
});
export type Capability = z.infer<typeof capabilitySchema>;

const timeOfDayCharacters = 5;
const timeOfDay = textOf(timeOfDayCharacters).regex(
  /^([01]\d|2[0-3]):[0-5]\d$/,
  'a time of day looks like "22:30"',
);

/** The owner's word: what of this machine the mesh may use. The agent enforces it itself. */
export const policySchema = z.strictObject({
  slots: z.int().min(0).max(1024),
  /** Local times of day during which trials may run; null means always. A span may cross midnight. */
  hours: listOf(z.strictObject({ from: timeOfDay, to: timeOfDay }))
    .nullable()
    .default(null),
  leaveFreeMemGiB: z.number().nonnegative().default(0),
  leaveFreeCores: z.int().nonnegative().default(0),
  /** Trials run only while the owner is away; null: whether or not. HTCondor's desktop figures are the defaults. */
  idle: z
    .strictObject({
      /** Without input for so long, and this little load of others, a machine that takes no work begins to. */
      startMinutes: z.number().nonnegative().default(15),
      loadMax: z.number().positive().max(1).default(0.3),
      /** Without input for so long, suspended trials go on. */
      resumeMinutes: z.number().nonnegative().default(5),
      /** Suspended for so long, trials leave with their last checkpoint. */
      vacateMinutes: z.number().positive().default(10),
    })
    .nullable()
    .default(null),
  /** May trials run while the machine has no mains power? */
  onBattery: z.boolean().default(false),
  /** Above this processor temperature trials are suspended, in degrees Celsius; null: never. */
  maxCelsius: z.number().positive().nullable().default(null),
  /** Whose work is accepted; null means anyone's. */
  requesters: listOf(nameSchema).nullable().default(null),
  /** Kinds of task accepted; null means all. */
  tasks: listOf(shortText).nullable().default(null),
  /** Whose programs may run here, as the user who started the agent. */
  programs: z.enum(programsAllowed).default("none"),
});
export type Policy = z.infer<typeof policySchema>;

/** The policy of an owner who has forbidden nothing: `slots` trials at a time, at any hour. */
export function openPolicy(slots: number): Policy {
  return policySchema.parse({ slots });
}
