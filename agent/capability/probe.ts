/**
 * What this machine can really do: host facts, which backends give right answers, and how fast each model
 * trains on each, in tokens per second. Backends are measured once and remembered until a version or the
 * processor changes; host facts are read each time.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import {
  backendReportSchema,
  rateSchema,
  type BackendName,
  type Capability,
  type Host,
} from "../../protocol/capability.ts";
import { clampRate } from "../../protocol/token.ts";
import { backendPreference, packageVersion } from "../runtime/open.ts";
import { noop } from "../task/noop.ts";
import { probeBackend, type BackendProbe } from "./backend-probe.ts";
import { readHost } from "./host.ts";
import { referenceKinds } from "./reference-machine.ts";
import { workloadDigest } from "./workload.ts";

/** A capability but for the labels, which are the owner's to give. */
export type ProbeResult = Omit<Capability, "labels">;

export interface ProbeOptions {
  /** Folder the measurements are remembered in. */
  readonly cacheDir: string;
  /** Measures again even when they are remembered. */
  readonly fresh?: boolean;
  /** Stand-ins for tests. */
  readonly host?: (dir: string) => Promise<Host>;
  readonly probeBackend?: (name: BackendName) => Promise<BackendProbe>;
}

const cacheFile = "probe.json";
const cacheSchema = z.object({
  key: z.string(),
  backends: z.array(backendReportSchema),
  rates: z.array(rateSchema),
});
type Measured = Pick<ProbeResult, "backends" | "rates">;

export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  await mkdir(options.cacheDir, { recursive: true });
  const host = await (options.host ?? readHost)(options.cacheDir);
  const key = cacheKey(host);
  const remembered = options.fresh === true ? null : await readCache(options.cacheDir, key);
  const measured = remembered ?? (await measureAll(options, key));
  return { host, node: process.version, ...measured };
}

async function measureAll(options: ProbeOptions, key: string): Promise<Measured> {
  const probes: BackendProbe[] = [];
  // One after the other: measured side by side they would slow each other down.
  for (const name of backendPreference) {
    if (name !== "none") probes.push(await (options.probeBackend ?? probeUnlessAbsent)(name));
  }
  const measured = toMeasured(probes);
  if (!probes.some((one) => one.late)) await writeCache(options.cacheDir, { key, ...measured });
  return measured;
}

function toMeasured(probes: readonly BackendProbe[]): Measured {
  const measured: { backends: Measured["backends"]; rates: Measured["rates"] } = {
    backends: [{ name: "none", works: true, reason: null, version: null, dtypes: ["f32"] }],
    // A task that computes nothing takes as long on every machine.
    rates: [
      { kind: `${noop.task}/${noop.model}`, backend: "none", examplesPerSecond: 0, tokensPerSecond: 1 },
    ],
  };
  for (const one of probes) {
    const report = backendReportSchema.parse(one);
    measured.backends.push(report);
    for (const { kind, examplesPerSecond } of one.measured) {
      const reference = referenceKinds.find((candidate) => candidate.kind === kind);
      if (reference === undefined) continue;
      const tokensPerSecond = clampRate(examplesPerSecond / reference.examplesPerSecond);
      measured.rates.push({ kind, backend: report.name, examplesPerSecond, tokensPerSecond });
    }
  }
  return measured;
}

/** Forking a process to learn that a package is not installed would be slow. */
async function probeUnlessAbsent(name: BackendName): Promise<BackendProbe> {
  const needed = name.startsWith("tfjs-node") ? `@tensorflow/${name}` : null;
  if (needed === null || packageVersion(needed) !== null) return probeBackend(name);
  const reason = `not installed; npm install ${needed} adds it`;
  return { name, works: false, reason, version: null, measured: [], late: false };
}

function cacheKey(host: Host): string {
  const packages = ["core", "backend-wasm", "backend-cpu", "node", "node-gpu"].map(
    (part) => `${part} ${packageVersion(`@tensorflow/tfjs-${part}`) ?? "absent"}`,
  );
  return [
    process.version,
    host.cpuModel,
    host.cores,
    workloadDigest(),
    JSON.stringify(referenceKinds),
    ...packages,
  ].join("; ");
}

async function readCache(dir: string, key: string): Promise<Measured | null> {
  try {
    const cache = cacheSchema.parse(JSON.parse(await readFile(join(dir, cacheFile), "utf8")));
    return cache.key === key ? { backends: cache.backends, rates: cache.rates } : null;
  } catch {
    return null; // absent, cut short or of another version: measure again
  }
}

async function writeCache(dir: string, cache: z.infer<typeof cacheSchema>): Promise<void> {
  const path = join(dir, cacheFile);
  await writeFile(`${path}.part`, JSON.stringify(cache, null, 1));
  await rename(`${path}.part`, path);
}
