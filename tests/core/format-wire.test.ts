/**
 * What is stored and what travels are separate schemas that must be convertible where the coordinator takes one for the other.
 * The first half is held by the compiler: a field that one of the two lacks does not compile here.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type * as z from "zod";
import type {
  storedBuiltDataset,
  storedDatasetRef,
  storedDatasetVersion,
} from "../../coordinator/format/stored-dataset.ts";
import { storedCapability, storedPolicy } from "../../coordinator/format/stored-machine.ts";
import { storedSweepSpec } from "../../coordinator/format/stored-sweep.ts";
import type { storedCheckpoint, storedRefill } from "../../coordinator/format/stored-value.ts";
import { capabilitySchema, openPolicy, policySchema } from "../../protocol/capability.ts";
import type { refillSchema } from "../../protocol/command.ts";
import type { builtDatasetSchema, datasetRefSchema, datasetVersionSchema } from "../../protocol/dataset.ts";
import type { checkpointSchema } from "../../protocol/order.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { capability, sweepSpec } from "../support/fold.ts";

/** Every key there at every depth, so that an optional one that is missing elsewhere is seen. */
type Whole<T> = T extends readonly (infer U)[]
  ? Whole<U>[]
  : T extends object
    ? { [K in keyof T]-?: Whole<Exclude<T[K], undefined>> }
    : T;
type Same<A, B> = [Whole<A>] extends [Whole<B>] ? ([Whole<B>] extends [Whole<A>] ? true : false) : false;
type Convertible<Stored extends z.ZodType, Wire extends z.ZodType> = Same<z.infer<Stored>, z.infer<Wire>>;

const convertible: readonly [
  Convertible<typeof storedSweepSpec, typeof sweepSpecSchema>,
  Convertible<typeof storedCapability, typeof capabilitySchema>,
  Convertible<typeof storedPolicy, typeof policySchema>,
  Convertible<typeof storedDatasetVersion, typeof datasetVersionSchema>,
  Convertible<typeof storedDatasetRef, typeof datasetRefSchema>,
  Convertible<typeof storedCheckpoint, typeof checkpointSchema>,
  Convertible<typeof storedRefill, typeof refillSchema>,
  Convertible<typeof storedBuiltDataset, typeof builtDatasetSchema>,
] = [true, true, true, true, true, true, true, true];

/** The check itself can fail: one key more at some depth, one choice more, one key less. */
const notSame: readonly [
  Same<{ a: { b: number } }, { a: { b: number; c?: string } }>,
  Same<{ a: "x" | "y" }, { a: "x" }>,
  Same<{ a: readonly { b: 1 }[] }, { a: readonly { b: 1; c: 2 }[] }>,
] = [false, false, false];

test("FORMAT-5: what travels can be stored, and what was stored is what travelled", () => {
  assert.ok(convertible.every(Boolean) && !notSame.some(Boolean));
  const full = {
    ...openPolicy(3),
    hours: [{ from: "22:30", to: "06:00" }],
    idle: { startMinutes: 1, loadMax: 0.5, resumeMinutes: 2, vacateMinutes: 3 },
  };
  for (const [stored, wire, value] of [
    [storedPolicy, policySchema, full],
    [storedCapability, capabilitySchema, capability()],
    [storedSweepSpec, sweepSpecSchema, sweepSpec({ needs: { gpu: {}, labels: { room: "attic" } } })],
  ] as const) {
    const travelled = wire.parse(value);
    assert.deepEqual(stored.parse(JSON.parse(JSON.stringify(travelled))), travelled);
  }
});

test("FORMAT-2: a key that is not known is not left out, at whatever depth", () => {
  const spec = sweepSpec();
  const [model] = spec.models;
  for (const strange of [
    { ...spec, colour: 1 },
    { ...spec, search: { ...spec.search, colour: 1 } },
    { ...spec, models: [{ ...model, colour: 1 }] },
    { ...spec, needs: { gpu: { count: 1, colour: 1 } } },
  ])
    assert.equal(storedSweepSpec.safeParse(strange).success, false);
});
