/** A runner of programs in the sandbox that this machine offers, or the reason why there is none. */
import { join } from "node:path";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import { askPython } from "../../agent/program/ask-python.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import type { Runner } from "../../agent/runner/runner.ts";
import { probeSandbox } from "../../agent/sandbox/probe-sandbox.ts";
import { visibleMachine } from "../../agent/sandbox/visible-machine.ts";
import type { ProgramNetwork } from "../../protocol/sandbox-rung.ts";

export interface SandboxPlace {
  /** A folder that stands for the agent's, and for its home. */
  readonly folder: string;
  readonly network?: ProgramNetwork;
  readonly reads?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export async function sandboxedRunner(place: SandboxPlace): Promise<Runner | string> {
  const { folder, network = "all", reads = [] } = place;
  const environment = { ...process.env, ...place.environment };
  const interpreter = findInterpreter(environment);
  const python = await askPython(interpreter, environment);
  const machine = visibleMachine({
    environment,
    python: python.watched.map(({ path }) => path),
    reads,
    secret: [folder],
  });
  const found = await probeSandbox({ wish: "bubblewrap", network, environment, machine });
  if (found.sandbox === null) return found.refused ?? "no sandbox";
  return machineRunner({
    slots: 2,
    machine: { cores: 2, gpus: 0 },
    environment,
    interpreter,
    sandbox: found.sandbox,
  });
}

/** Folder for the work of one test, within the agent's. */
export function workFolder(folder: string): string {
  return join(folder, "work");
}
