/**
 * What an agent says of its speed with programs: nothing is known of a program before it runs, so each counts as fast as the
 * reference machine until trials show otherwise. Whether the owner runs any is the policy's to say.
 */
import type { BackendName, Capability } from "../../protocol/capability.ts";

/** First what needs no backend; a module that wants one asks for it. */
export function programRates(backends: Capability["backends"]): Capability["rates"] {
  const rate = (kind: string, backend: BackendName) => ({
    kind,
    backend,
    examplesPerSecond: 0,
    tokensPerSecond: 1,
  });
  const working = backends.filter(({ name, works }) => works && name !== "none" && name !== "sparse");
  return [
    rate("command/command", "none"),
    rate("module/module", "none"),
    ...working.map(({ name }) => rate("module/module", name)),
  ];
}
