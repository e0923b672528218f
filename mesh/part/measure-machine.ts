/**
 * What this machine can do: measured the first time, remembered until something changes. The
 * memory belongs to the machine, not to one agent, so that a second agent here starts at once.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readHost } from "../../agent/capability/host.ts";
import { probe, type ProbeResult } from "../../agent/capability/probe.ts";
import { askPython, type PythonAnswer } from "../../agent/program/ask-python.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { programRates } from "../../agent/program/program-rate.ts";
import { cacheFolder } from "../../system/cache-folder.ts";
import type { Capability } from "../../protocol/capability.ts";
import type { Environment } from "../../system/environment.ts";

/** What the mesh gets to know, and what only this machine's people are shown. */
export type MachineReport = Capability & Pick<ProbeResult, "threads">;

export interface MeasuredMachine {
  readonly capability: Capability;
  /** What of it programs get, and how a change of that is noticed. */
  readonly python: PythonAnswer;
}

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
  const { python, report } = await measure(options);
  const { threads: _, ...capability } = report;
  return { capability, python };
}

export async function reportMachine(options: MeasureOptions): Promise<MachineReport> {
  return (await measure(options)).report;
}

async function measure(
  options: MeasureOptions,
): Promise<{ readonly report: MachineReport; readonly python: PythonAnswer }> {
  const { environment, folder, fresh, labels, progress } = options;
  const cacheDir = join(cacheFolder(environment), "probe");
  if (fresh || !existsSync(join(cacheDir, "probe.json")))
    progress(
      "measuring what this machine can train, which takes up to a minute; remembered for the next start",
    );
  const interpreter = findInterpreter(environment);
  const [measured, python] = await Promise.all([
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
  const rates = [...measured.rates, ...programRates(measured.backends)];
  return { report: { ...measured, rates, ...python.facts, labels: { ...labels } }, python };
}
