/** No early stopping: every trial trains to the end. */
import type { StoppingPolicy } from "./stopping-policy.ts";

export function fullLengthPolicy(max: number): StoppingPolicy {
  return { rungs: [max], verdict: () => "complete", promotable: () => null };
}
