/**
 * PROBE-1: what a probe measures is this machine and not who else uses it: the time it had the processor counts, where it computes on
 * one and waits for nothing else. Of cards and of runtimes with threads of their own only the clock on the wall is known.
 */
import type { BackendName } from "../../protocol/capability.ts";

/** These compute in the thread that asks them, from the first moment to the last. */
const onProcessor: ReadonlySet<BackendName> = new Set(["sparse", "cpu"]);
/** Below this share of the time somebody else had the processor. */
const ownShareMin = 0.9;

export interface OwnTime {
  readonly wallMs: number;
  /** What counts of it; never 0. */
  readonly ownMs: number;
  /** Others held it up. */
  readonly isHeld: boolean;
}

export function ownTime(backend: BackendName, wallMs: number, processorMs: number): OwnTime {
  const leastMs = 0.001;
  if (!onProcessor.has(backend) || processorMs <= 0 || processorMs >= ownShareMin * wallMs)
    return { wallMs, ownMs: Math.max(leastMs, wallMs), isHeld: false };
  return { wallMs, ownMs: Math.max(leastMs, processorMs), isHeld: true };
}

/** Starts to measure; each call of what it returns tells the time since then. */
export function startWatch(backend: BackendName): () => OwnTime {
  const from = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { system, user } = process.cpuUsage(before);
    return ownTime(backend, performance.now() - from, (system + user) / 1000);
  };
}
