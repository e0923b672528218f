/**
 * What probes found, one entry a backend, in a file of this machine. An entry counts as long as its key is the
 * same: Node, processor, workload, models with their references, the backend's packages and its driver.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { longText, listOf } from "../../protocol/bound.ts";
import { backendNameSchema, type BackendName, type Host } from "../../protocol/capability.ts";
import { writeWhole } from "../../system/whole-file.ts";
import { packageVersion } from "../../training/runtime/open.ts";
import { readRuntimeRecords } from "../../training/runtime/runtime-record.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { backendProbeSchema, type BackendProbe } from "./backend-probe.ts";
import { loadMax } from "./others-share.ts";
import { threadRateSchema } from "./thread-probe.ts";
import { workloadDigest } from "./workload.ts";

const cacheFile = "probe.json";

const rememberedSchema = z.object({
  key: longText,
  result: backendProbeSchema,
  threads: listOf(threadRateSchema),
});
export type Remembered = z.infer<typeof rememberedSchema>;

/** How much others were in the way of the model they were most in the way of, 0 to 1. */
export function loadOfProbe({ measured }: BackendProbe): number {
  return Math.max(0, ...measured.map(({ load }) => load));
}

/** PROBE-14: what was measured while others used the machine is kept, and is not the last word. */
export function isLoaded({ result }: Remembered): boolean {
  return loadOfProbe(result) > loadMax;
}

const cacheSchema = z.object({ backends: z.partialRecord(backendNameSchema, rememberedSchema) });
type ProbeCache = z.infer<typeof cacheSchema>["backends"];

const packagesOf: Readonly<Record<BackendName, readonly string[]>> = {
  "tfjs-node-gpu": ["@tensorflow/tfjs-node-gpu"],
  "tfjs-node": ["@tensorflow/tfjs-node"],
  webgpu: ["webgpu", "@tensorflow/tfjs-backend-webgpu"],
  wasm: ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-wasm"],
  cpu: ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"],
  sparse: [],
  none: [],
};

export function cacheKey(name: BackendName, host: Host, driver: string | null): string {
  const works = models
    .filter(({ backends }) => backends.includes(name))
    .map(({ task, model, reference }) => [task, model, reference]);
  const record = readRuntimeRecords().find(({ backend }) => backend === name);
  return JSON.stringify([
    process.version,
    host.cpuModel,
    host.cores,
    workloadDigest(),
    works,
    packagesOf[name].map((part) => `${part} ${packageVersion(part) ?? "absent"}`),
    record === undefined ? null : record.provenAt,
    // A card's driver says nothing about what only the processor computes.
    name === "tfjs-node-gpu" || name === "webgpu" ? [driver, host.gpus.map(({ model }) => model)] : null,
    name === "webgpu" ? process.env["TRIALMESH_WEBGPU_SOFTWARE"] === "1" : null,
  ]);
}

/** Empty where there is none, or it was cut short or is of another version: all is measured again then. */
export async function readProbeCache(dir: string): Promise<ProbeCache> {
  try {
    return cacheSchema.parse(JSON.parse(await readFile(join(dir, cacheFile), "utf8"))).backends;
  } catch {
    return {};
  }
}

export async function writeProbeCache(dir: string, found: readonly Remembered[]): Promise<void> {
  const backends = Object.fromEntries(found.map((one) => [one.result.name, one]));
  await writeWhole(join(dir, cacheFile), JSON.stringify({ backends }, null, 1));
}
