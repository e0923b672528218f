/** The stopping policy a sweep names. Adding one is adding a file and a case here. */
import type { Stopping } from "../../protocol/stopping.ts";
import { ashaPolicy } from "./asha.ts";
import { fullLengthPolicy } from "./full-length.ts";
import type { StoppingPolicy } from "./stopping-policy.ts";

export function stoppingPolicy(stopping: Stopping): StoppingPolicy {
  switch (stopping.policy) {
    case "none":
      return fullLengthPolicy(stopping.max);
    case "asha":
      return ashaPolicy(stopping.min, stopping.max, stopping.eta);
  }
}
