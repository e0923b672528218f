/**
 * What this machine can really do: host facts, which backends give right answers, and how fast each model
 * trains on each, in tokens per second. A backend is measured once and remembered until a version, its driver
 * or the processor changes (`probe-cache.ts`); host facts are read each time.
 */
import {
  backendReportSchema,
  type BackendName,
  type Capability,
  type Host,
} from "../../protocol/capability.ts";
import { clampRate } from "../../protocol/token.ts";
import { claimLock, tryLock } from "../../system/folder-lock.ts";
import { installCommand } from "../../training/runtime/managed-package.ts";
import { managedRuntimes } from "../../training/runtime/managed-runtime.ts";
import { backendPreference, packageVersion } from "../../training/runtime/open.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { probeBackend, type BackendProbe, type BackendProbeOptions } from "./backend-probe.ts";
import { readHost } from "./host.ts";
import { loadMax } from "./others-share.ts";
import { unmeasuredRates } from "./unmeasured-rate.ts";
import { readDriverVersion } from "./compute-capability.ts";
import {
  cacheKey,
  isLoaded,
  loadOfProbe,
  readProbeCache,
  writeProbeCache,
  type Remembered,
} from "./probe-cache.ts";
import { probeThreads, type ThreadRate } from "./thread-probe.ts";
import { makeFolder } from "../../system/make-folder.ts";

/** A capability but for the labels, which are the owner's to give, and for what programs need. */
export type ProbeResult = Omit<Capability, "environment" | "labels" | "packages" | "python"> & {
  /** What the processor's cores add to one trial. */
  readonly threads: readonly ThreadRate[];
  /** Nothing of it was measured under load or not in time. */
  readonly isFinal: boolean;
};

export interface ProbeOptions {
  /** Folder the measurements are remembered in. */
  readonly cacheDir: string;
  /** Measures again even when they are remembered. */
  readonly fresh?: boolean;
  /** Called before each backend that is measured. */
  readonly progress?: (name: BackendName) => void;
  /** Stand-ins for tests. */
  readonly host?: (dir: string) => Promise<Host>;
  readonly driver?: () => Promise<string | null>;
  readonly probeBackend?: (
    name: BackendName,
    options: Pick<BackendProbeOptions, "signal">,
  ) => Promise<BackendProbe>;
  readonly probeThreads?: typeof probeThreads;
}

export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const machine = await readMachine(options);
  const found = await rememberedOr(options, machine, () => measureMissing(options, machine));
  return resultOf(machine, found);
}

/**
 * PROBE-14: measures again what was measured under load, or not in time. What another agent of this machine has measured better by
 * now is taken. The better of two counts. Null where `signal` came first, or another agent measures just now.
 */
export async function probeAgain(options: ProbeOptions, signal: AbortSignal): Promise<ProbeResult | null> {
  const machine = await readMachine(options);
  const claim = tryLock(options.cacheDir, "probe");
  if (!claim.held) return null;
  try {
    const known = await readProbeCache(options.cacheDir);
    const found: Remembered[] = [];
    for (const [name, key] of machine.keys) {
      const before = known[name]?.key === key ? known[name] : undefined;
      if (before !== undefined && !isLoaded(before)) {
        found.push(before);
        continue;
      }
      const now = await measureBackend(name, key, machine.host, { ...options, signal });
      if (signal.aborted) return null;
      found.push(before === undefined ? now : better(before, now));
    }
    await remember(options, found);
    return resultOf(machine, found);
  } finally {
    claim.lock.release();
  }
}

/** What ran out of time shows less than what did not; and load makes slower, never faster. */
function better(before: Remembered, now: Remembered): Remembered {
  if (now.result.late || loadOfProbe(now.result) >= loadOfProbe(before.result)) return before;
  return now;
}

interface Machine {
  readonly host: Host;
  readonly keys: ReadonlyMap<BackendName, string>;
}

async function readMachine(options: ProbeOptions): Promise<Machine> {
  await makeFolder(options.cacheDir);
  const [host, driver] = await Promise.all([
    (options.host ?? readHost)(options.cacheDir),
    (options.driver ?? readDriverVersion)(),
  ]);
  const names = backendPreference.filter((name) => name !== "none");
  return { host, keys: new Map(names.map((name) => [name, cacheKey(name, host, driver)])) };
}

function resultOf({ host }: Machine, found: readonly Remembered[]): ProbeResult {
  return { host, node: process.version, ...toMeasured(found) };
}

/** What is remembered where that is everything, else what `measure` finds while nobody else measures. */
async function rememberedOr(
  { cacheDir, fresh }: ProbeOptions,
  { keys }: Machine,
  measure: () => Promise<readonly Remembered[]>,
): Promise<readonly Remembered[]> {
  if (fresh !== true) {
    const known = await readProbeCache(cacheDir);
    const found = [...keys].flatMap(([name, key]) => (known[name]?.key === key ? known[name] : []));
    if (found.length === keys.size) return found;
  }
  const lock = await claimLock(cacheDir, "probe", new AbortController().signal, () => undefined);
  try {
    return await measure();
  } finally {
    lock?.release();
  }
}

async function measureMissing(
  options: ProbeOptions,
  { host, keys }: Machine,
): Promise<readonly Remembered[]> {
  // Another agent of this machine may have measured while this one waited for it.
  const kept = await readProbeCache(options.cacheDir);
  const known = options.fresh === true ? {} : kept;
  const found: Remembered[] = [];
  // One after the other: measured side by side they would slow each other down.
  for (const [name, key] of keys) {
    const before = known[name];
    found.push(before?.key === key ? before : await measureBackend(name, key, host, options));
  }
  // Asked to measure anew while others use the machine: that is shown, and what is known better is kept.
  await remember(
    options,
    found.map((now) => {
      const before = kept[now.result.name];
      return before?.key === now.key && isLoaded(now) ? better(before, now) : now;
    }),
  );
  return found;
}

/** What ran out of time is asked again the next time. */
function remember({ cacheDir }: ProbeOptions, found: readonly Remembered[]): Promise<void> {
  return writeProbeCache(
    cacheDir,
    found.filter(({ result }) => !result.late),
  );
}

async function measureBackend(
  name: BackendName,
  key: string,
  host: Host,
  options: ProbeOptions & { readonly signal?: AbortSignal },
): Promise<Remembered> {
  const absent = absence(name);
  if (absent !== null && options.probeBackend === undefined) return { key, result: absent, threads: [] };
  options.progress?.(name);
  const signalled = options.signal === undefined ? {} : { signal: options.signal };
  const result = await (options.probeBackend ?? probeBackend)(name, signalled);
  const isOver = result.late || options.signal?.aborted === true;
  const threads = isOver ? [] : await (options.probeThreads ?? probeThreads)(result, host.cores, signalled);
  return { key, result, threads: [...threads] };
}

/** Starting a process to learn that a package is not installed would be slow. */
function absence(name: BackendName): BackendProbe | null {
  const runtime = managedRuntimes.find(({ backend }) => backend === name);
  const missing = runtime?.packages.find((one) => packageVersion(one.name) === null);
  if (missing === undefined) return null;
  const reason = `not installed; \`${installCommand(missing.name)}\` adds it`;
  return { name, sound: false, works: false, reason, version: null, device: null, measured: [], late: false };
}

function toMeasured(
  found: readonly Remembered[],
): Pick<ProbeResult, "backends" | "isFinal" | "rates" | "threads"> {
  const backends: ProbeResult["backends"] = [
    { name: "none", works: true, reason: null, version: null, dtypes: ["f32"] },
  ];
  const rates: ProbeResult["rates"] = [...unmeasuredRates(models, "none")];
  for (const { result } of found) {
    const { name, works, reason, version, device } = result;
    const named = version === null ? null : device === null ? version : `${version} (${device})`;
    const load = loadOfProbe(result);
    // PROBE-13: said where it was much.
    const loaded = load > loadMax ? { load: Math.round(load * 100) / 100 } : {};
    backends.push(backendReportSchema.parse({ name, works, reason, version: named, ...loaded }));
    if (works) rates.push(...unmeasuredRates(models, name));
    for (const { kind, examplesPerSecond } of result.measured) {
      const reference = models.find(({ task, model }) => `${task}/${model}` === kind)?.reference;
      if (reference === undefined || reference === null) continue;
      const tokensPerSecond = clampRate(examplesPerSecond / reference.examplesPerSecond);
      rates.push({ kind, backend: name, examplesPerSecond, tokensPerSecond });
    }
  }
  const isFinal = found.every((one) => !one.result.late && !isLoaded(one));
  return { backends, isFinal, rates, threads: found.flatMap(({ threads }) => threads) };
}
