/** The stopping policy a sweep names. Adding one is adding a file and a case here. */
import { intervalOf, type Stopping } from "../../protocol/stopping.ts";
import { ashaPolicy } from "./asha.ts";
import { fullLengthPolicy } from "./full-length.ts";
import { hyperbandPolicy } from "./hyperband.ts";
import { patiencePolicy } from "./patience.ts";
import { behindPolicy } from "./behind.ts";
import type { StoppingPolicy } from "./stopping-policy.ts";

const medianPercentile = 50;

/** A policy is a pure function of what the sweep says, and is asked at every rung: each is made once. */
const made = new WeakMap<Stopping, StoppingPolicy>();

export function stoppingPolicy(stopping: Stopping): StoppingPolicy {
  let policy = made.get(stopping);
  if (policy === undefined) {
    policy = make(stopping);
    made.set(stopping, policy);
  }
  return policy;
}

function make(stopping: Stopping): StoppingPolicy {
  const { max } = stopping;
  switch (stopping.policy) {
    case "none":
      return fullLengthPolicy(max);
    case "asha":
      return ashaPolicy(stopping.min, max, stopping.eta);
    case "hyperband":
    case "bohb":
      return hyperbandPolicy(stopping.min, max, stopping.eta);
    case "median": {
      const { minTrials } = stopping;
      return behindPolicy({ rule: "median", percentile: medianPercentile, minTrials, ...watchOf(stopping) });
    }
    case "percentile": {
      const { percentile, minTrials } = stopping;
      return behindPolicy({ rule: "percentile", percentile, minTrials, ...watchOf(stopping) });
    }
    case "patience": {
      const { patience, minDelta } = stopping;
      return patiencePolicy({ patience, minDelta, ...watchOf(stopping) });
    }
  }
}

type Watching = Extract<Stopping, { policy: "median" | "percentile" | "patience" }>;

function watchOf(stopping: Watching) {
  const interval = intervalOf(stopping);
  return { interval, grace: stopping.grace ?? interval, max: stopping.max };
}
