/**
 * PROBE-1: what a probe measures is this machine and not who else uses it: the time it had the processor counts, where it computes on
 * one and waits for nothing else. Of cards and of runtimes with threads of their own only the clock on the wall is known.
 * PROBE-13: on every backend it is known how much others had of the processors meanwhile.
 */
import type { BackendName } from "../../protocol/capability.ts";
import { throttledTime } from "../../system/processor-time.ts";
import { othersShare, readSpent } from "./others-share.ts";

/** These compute in the thread that asks them, from the first moment to the last. */
const onProcessor: ReadonlySet<BackendName> = new Set(["sparse", "cpu", "wasm"]);
/** Below this share of the time somebody else had the processor. */
const ownShareMin = 0.9;

export interface OwnTime {
  readonly wallMs: number;
  /** What counts of it; never 0. */
  readonly ownMs: number;
  /** Others held it up. */
  readonly isHeld: boolean;
}

/**
 * `threadMs`: time the asking thread had a processor, or was kept from it by a limit of this machine's own. What helps it, such as a
 * garbage collector, has threads of its own.
 */
export function ownTime(backend: BackendName, wallMs: number, threadMs: number): OwnTime {
  const leastMs = 0.001;
  if (!onProcessor.has(backend) || threadMs <= 0 || threadMs >= ownShareMin * wallMs)
    return { wallMs, ownMs: Math.max(leastMs, wallMs), isHeld: false };
  return { wallMs, ownMs: Math.max(leastMs, threadMs), isHeld: true };
}

/** PROBE-13: how much others were in the way, 0 to 1: what they had of the processors, or for how long the one that was wanted. */
export function loadOf({ isHeld, ownMs, wallMs }: OwnTime, share: number | null): number {
  return Math.max(share ?? 0, isHeld ? 1 - ownMs / wallMs : 0);
}

export interface Watched extends OwnTime {
  readonly load: number;
}

export interface Watch {
  /** Costs next to nothing, so that it can be asked in what is timed. */
  readonly wallMs: () => number;
  readonly end: () => Watched;
}

export function startWatch(backend: BackendName): Watch {
  const spent = readSpent();
  const throttled = throttledTime();
  const from = performance.now();
  const before = process.threadCpuUsage();
  const wallMs = () => performance.now() - from;
  return {
    wallMs,
    end: () => {
      const { system, user } = process.threadCpuUsage(before);
      // What a container may not use is no other's: with that limit this machine is so fast.
      const time = ownTime(backend, wallMs(), (system + user) / 1000 + throttledTime() - throttled);
      return { ...time, load: loadOf(time, othersShare(spent, readSpent())) };
    },
  };
}
