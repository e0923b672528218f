/**
 * What this machine can do: measured the first time, remembered until something changes. The
 * memory belongs to the machine, not to one agent, so that a second agent here starts at once.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readHost } from "../../agent/capability/host.ts";
import { probe, probeAgain, type ProbeResult } from "../../agent/capability/probe.ts";
import { askPython, type PythonAnswer } from "../../agent/program/ask-python.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { unmeasuredRate } from "../../agent/capability/unmeasured-rate.ts";
import { programRates } from "../../agent/program/program-rate.ts";
import { replicaModel, replicaTask } from "../../protocol/deployment.ts";
import { cacheFolder } from "../../system/cache-folder.ts";
import type { Capability } from "../../protocol/capability.ts";
import type { Environment } from "../../system/environment.ts";

/** What the mesh gets to know, and what only this machine's people are shown. */
export type MachineReport = Capability & Pick<ProbeResult, "threads">;

export interface MeasuredMachine {
  readonly capability: Capability;
  /** What of it programs get, and how a change of that is noticed. */
  readonly python: PythonAnswer;
  /** It was measured while the machine had nothing else to do. */
  readonly isFinal: boolean;
}

/** What measuring again may change. */
export type MeasuredSpeed = Pick<Capability, "backends" | "rates"> & Pick<MeasuredMachine, "isFinal">;

export interface MeasureOptions {
  readonly environment: Environment;
  /** The disk whose free space counts is the one this folder is on. */
  readonly folder: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Measures again even when it is remembered. */
  readonly fresh: boolean;
  /** One line before a long measurement. */
  readonly progress: (line: string) => void;
}

export async function measureMachine(options: MeasureOptions): Promise<MeasuredMachine> {
  const { isFinal, python, report } = await measure(options);
  const { threads: _, ...capability } = report;
  return { capability, isFinal, python };
}

export async function reportMachine(options: MeasureOptions): Promise<MachineReport> {
  return (await measure(options)).report;
}

/** Anew what was measured under load. Null where `signal` came first, or another agent of this machine measures just now. */
export async function measureSpeedAgain(
  { environment, folder, progress }: Pick<MeasureOptions, "environment" | "folder" | "progress">,
  signal: AbortSignal,
): Promise<MeasuredSpeed | null> {
  const measured = await probeAgain(
    {
      cacheDir: probeFolder(environment),
      host: () => readHost(folder),
      progress: (name) => progress(`measuring ${name} again, while nobody else uses the machine`),
    },
    signal,
  );
  if (measured === null) return null;
  const { backends, isFinal } = measured;
  return { backends, isFinal, rates: allRates(measured) };
}

function probeFolder(environment: Environment): string {
  return join(cacheFolder(environment), "probe");
}

function allRates({ backends, rates }: Pick<ProbeResult, "backends" | "rates">): Capability["rates"] {
  // A replica costs the same wherever it runs: what it is asked is its callers' doing.
  const replicas = unmeasuredRate(`${replicaTask}/${replicaModel}`, "none");
  return [...rates, ...programRates(backends), replicas];
}

async function measure(
  options: MeasureOptions,
): Promise<{ readonly isFinal: boolean; readonly report: MachineReport; readonly python: PythonAnswer }> {
  const { environment, folder, fresh, labels, progress } = options;
  const cacheDir = probeFolder(environment);
  if (fresh || !existsSync(join(cacheDir, "probe.json")))
    progress(
      "measuring what this machine can train, which takes up to a minute; remembered for the next start",
    );
  const interpreter = findInterpreter(environment);
  const [{ isFinal, ...measured }, python] = await Promise.all([
    probe({
      cacheDir,
      fresh,
      host: () => readHost(folder),
      progress: (name) => progress(`measuring ${name}`),
    }),
    askPython(interpreter, environment),
  ]);
  if (python.late)
    progress(`${interpreter} did not say in time what it has installed; it is asked again from time to time`);
  const rates = allRates(measured);
  return { isFinal, report: { ...measured, rates, ...python.facts, labels: { ...labels } }, python };
}
