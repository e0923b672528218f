/** What programs of others would run in on this machine, and what is missing for it. It starts nothing but the probe. */
import { probeSandbox } from "../../agent/sandbox/probe-sandbox.ts";
import { visibleMachine } from "../../agent/sandbox/visible-machine.ts";
import type { Environment } from "../../system/environment.ts";
import type { Finding } from "./doctor-finding.ts";

export async function sandboxFinding(environment: Environment): Promise<Finding> {
  const machine = visibleMachine({ environment, python: [], reads: [], secret: [] });
  const { view } = await probeSandbox({ wish: "auto", network: "all", environment, machine });
  return view.missing === null
    ? { check: "sandbox", verdict: "ok", found: `programs can run in ${view.rung}`, advice: null }
    : {
        check: "sandbox",
        verdict: "warn",
        found: `programs of others would run as this user: ${view.missing}`,
        advice:
          "docs/owner.md has what a sandbox needs; without one lend only to people you would give a login",
      };
}
