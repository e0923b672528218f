/** No early stopping: every trial trains to the end. */
import type { OrderedPolicy, StoppingPolicy } from "./stopping-policy.ts";

/** Of a policy that compares trials with nobody: none ever waits. */
export function alone(verdict: OrderedPolicy["verdict"]): OrderedPolicy {
  return { groups: 1, groupOf: () => 0, comparedOf: () => 0, verdict, placesOf: () => 0 };
}

export function fullLengthPolicy(max: number): StoppingPolicy {
  const rungs = [max];
  return {
    rungs,
    rungsOf: () => rungs,
    verdict: () => ({ kind: "continue" }),
    promotable: () => [],
    ordered: alone(() => ({ kind: "continue" })),
  };
}
