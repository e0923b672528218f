/** An agent's machine and its owner's policy as they stand in the journal. The wire's own forms are in `protocol/capability.ts`. */
import * as z from "zod";
import { storedBackendName, storedCount, storedDtype, storedRung } from "./stored-value.ts";

const gpu = z.strictObject({
  vendor: z.string(),
  model: z.string(),
  vramGiB: z.number().nullable(),
  computeCapability: z.number().nullable().default(null),
});

const host = z.strictObject({
  os: z.string(),
  arch: z.string(),
  cpuModel: z.string(),
  cores: storedCount,
  memGiB: z.number(),
  diskGiB: z.number().nullable(),
  gpus: z.array(gpu),
  cpuFeatures: z.array(z.string()),
});

const backendReport = z.strictObject({
  name: storedBackendName,
  works: z.boolean(),
  reason: z.string().nullable(),
  version: z.string().nullable(),
  dtypes: z.array(storedDtype).default(["f32"]),
  load: z.number().exactOptional(),
});

const rate = z.strictObject({
  kind: z.string(),
  backend: storedBackendName,
  examplesPerSecond: z.number(),
  tokensPerSecond: z.number(),
});

export const storedCapability = z.strictObject({
  host,
  node: z.string(),
  backends: z.array(backendReport),
  rates: z.array(rate),
  labels: z.record(z.string(), z.string()),
  python: z.string().nullable().default(null),
  packages: z.record(z.string(), z.string()).exactOptional(),
  environment: z.string().exactOptional(),
  sealKey: z.string().exactOptional(),
  sandbox: z
    .strictObject({ rung: storedRung, network: z.enum(["none", "all"]), missing: z.string().nullable() })
    .exactOptional(),
});

export const storedPolicy = z.strictObject({
  slots: storedCount,
  hours: z
    .array(z.strictObject({ from: z.string(), to: z.string() }))
    .nullable()
    .default(null),
  leaveFreeMemGiB: z.number().default(0),
  leaveFreeCores: storedCount.default(0),
  idle: z
    .strictObject({
      startMinutes: z.number(),
      loadMax: z.number(),
      resumeMinutes: z.number(),
      vacateMinutes: z.number(),
    })
    .nullable()
    .default(null),
  onBattery: z.boolean().default(false),
  maxCelsius: z.number().nullable().default(null),
  requesters: z.array(z.string()).nullable().default(null),
  tasks: z.array(z.string()).nullable().default(null),
  programs: z.enum(["none", "own", "any"]).default("none"),
});
