/** No early stopping: every trial trains to the end. */
import type { StoppingPolicy } from "./stopping-policy.ts";

export function fullLengthPolicy(max: number): StoppingPolicy {
  const rungs = [max];
  return {
    rungs,
    rungsOf: () => rungs,
    verdict: () => ({ kind: "continue" }),
    promotable: () => [],
  };
}
