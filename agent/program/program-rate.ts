/**
 * What an agent says of its speed with programs: nothing is known of a program before it runs, so each counts as fast as the
 * reference machine until trials show otherwise. Whether the owner runs any is the policy's to say.
 */
import { unmeasuredRate } from "../capability/unmeasured-rate.ts";
import type { Capability } from "../../protocol/capability.ts";

/** First what needs no backend; a module that wants one asks for it. */
export function programRates(backends: Capability["backends"]): Capability["rates"] {
  const working = backends.filter(({ name, works }) => works && name !== "none" && name !== "sparse");
  return [
    unmeasuredRate("command/command", "none"),
    unmeasuredRate("module/module", "none"),
    ...working.map(({ name }) => unmeasuredRate("module/module", name)),
  ];
}
