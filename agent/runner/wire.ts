/**
 * The messages between a runner and its child process. The child parses jobs and the parent parses
 * events: a child runs code that may be broken, and what it sends is outside.
 */
import * as z from "zod";
import { storedText, storedRecord } from "../../protocol/bound.ts";
import { builtDatasetSchema } from "../../protocol/dataset.ts";
import { replicaStateSchema, servingSchema } from "../../protocol/deployment.ts";
import { programSchema } from "../../protocol/program.ts";
import { valueSchema } from "../../protocol/value.ts";

const fence = z.int();
const path = storedText.min(1);

/** Also what is not finite, which is for the agent to leave out: zod's numbers are finite. */
const metrics = storedRecord(
  storedText,
  z.custom<number>((value) => typeof value === "number"),
);
const file = { path, digest: storedText, bytes: z.int().nonnegative() };
const best = z.strictObject({ ...file, resource: z.int().nonnegative(), metrics }).optional();

const jobSchema = z.strictObject({
  fence,
  trial: storedText.min(1),
  requester: storedText.optional(),
  task: storedText,
  model: storedText,
  params: storedRecord(storedText, valueSchema),
  seed: z.int(),
  backend: storedText,
  datasetPath: path.nullable(),
  parts: storedRecord(storedText, path),
  expectationsPath: path.optional(),
  program: programSchema.nullable(),
  fromCheckpointPath: path.nullable(),
  fromResource: z.int().nonnegative(),
  targetResource: z.int().positive(),
  keepBest: z.strictObject({ metric: storedText, goal: z.enum(["maximize", "minimize"]) }).optional(),
  bestBefore: best,
  checkpointDir: path,
  memoryMiB: z.number().positive(),
  serving: servingSchema.optional(),
});

export const toChildSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("run"), job: jobSchema }),
  z.strictObject({ kind: z.literal("stop"), fence }),
  z.strictObject({
    kind: z.literal("serve"),
    fence,
    serving: servingSchema,
    parts: storedRecord(storedText, path),
  }),
]);
export type ToChild = z.infer<typeof toChildSchema>;

const usedMs = z.number().nonnegative();
/** When the work that `usedMs` grew by was done, on the clock of `steadyMs`: the parent knows what of it was suspended. */
const timed = { usedMs, worked: z.strictObject({ from: z.number(), to: z.number() }) };
const atEpoch = { fence, resource: z.int().nonnegative(), metrics, ...timed };

export const fromChildSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("started"), fence, exact: z.boolean(), ...timed }),
  z.strictObject({ kind: z.literal("epoch"), ...atEpoch }),
  z.strictObject({ kind: z.literal("checkpoint"), ...atEpoch, ...file, best }),
  z.strictObject({
    kind: z.literal("finished"),
    ...atEpoch,
    ...file,
    best,
    built: builtDatasetSchema.optional(),
  }),
  z.strictObject({
    kind: z.literal("stopped"),
    ...atEpoch,
    path: path.nullable(),
    digest: storedText.nullable(),
    bytes: z.int().nonnegative(),
    best,
  }),
  z.strictObject({ kind: z.literal("failed"), fence, reason: storedText, retryable: z.boolean(), ...timed }),
  z.strictObject({
    kind: z.literal("point"),
    fence,
    step: z.int().nonnegative(),
    metrics,
  }),
  z.strictObject({
    kind: z.literal("serving"),
    fence,
    port: z.int().positive(),
    secret: storedText.min(1),
    replica: replicaStateSchema,
  }),
  z.strictObject({ kind: z.literal("log"), fence, stream: z.enum(["out", "err"]), line: storedText }),
]);
export type FromChild = z.infer<typeof fromChildSchema>;

/** After these no more is told of a job. */
export const lastKinds: ReadonlySet<FromChild["kind"]> = new Set(["finished", "stopped", "failed"]);
