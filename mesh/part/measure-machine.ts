/**
 * What this machine can do: measured the first time, remembered until something changes. The
 * memory belongs to the machine, not to one agent, so that a second agent here starts at once.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readHost } from "../../agent/capability/host.ts";
import { probe, type ProbeResult } from "../../agent/capability/probe.ts";
import { findInterpreter, pythonVersion } from "../../agent/program/interpreter.ts";
import { programRates } from "../../agent/program/program-rate.ts";
import { cacheFolder } from "../../system/cache-folder.ts";
import type { Capability } from "../../protocol/capability.ts";
import type { Environment } from "../../system/environment.ts";

/** What the mesh gets to know, and what only this machine's people are shown. */
export type MachineReport = Capability & Pick<ProbeResult, "threads">;

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

export async function measureMachine(options: MeasureOptions): Promise<Capability> {
  const { threads: _, ...capability } = await reportMachine(options);
  return capability;
}

export async function reportMachine(options: MeasureOptions): Promise<MachineReport> {
  const { environment, folder, fresh, labels, progress } = options;
  const cacheDir = join(cacheFolder(environment), "probe");
  if (fresh || !existsSync(join(cacheDir, "probe.json")))
    progress(
      "measuring what this machine can train, which takes up to a minute; remembered for the next start",
    );
  const [measured, python] = await Promise.all([
    probe({
      cacheDir,
      fresh,
      host: () => readHost(folder),
      progress: (name) => progress(`measuring ${name}`),
    }),
    pythonVersion(findInterpreter(environment)),
  ]);
  const rates = [...measured.rates, ...programRates(measured.backends)];
  return { ...measured, rates, python, labels: { ...labels } };
}
