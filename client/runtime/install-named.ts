/**
 * Brings in a native runtime by its name and proves that it works. `tensorflow` is the card's where there is a driver
 * and CUDA works, else the processor's.
 */
import { readDriverVersion } from "../../agent/capability/compute-capability.ts";
import { proveRuntime } from "../../agent/capability/prove-runtime.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { installRuntime } from "../../training/runtime/install-runtime.ts";
import { runtimeFolder } from "../../training/runtime/managed-package.ts";
import { managedRuntimes } from "../../training/runtime/managed-runtime.ts";
import { proveOnnx } from "../../serving/onnx/prove-onnx.ts";
import type { RuntimeRecord } from "../../training/runtime/runtime-record.ts";
import type { Surroundings } from "../../system/environment.ts";

export async function installNamed(
  name: string,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<Outcome<RuntimeRecord>> {
  if (name !== "tensorflow") return install(name, surroundings, signal);
  if ((await readDriverVersion()) !== null) {
    const onCard = await install("tfjs-node-gpu", surroundings, signal);
    if (onCard.ok || signal.aborted) return onCard;
    surroundings.say(`not for the card: ${onCard.refusal.message}`);
  }
  return install("tfjs-node", surroundings, signal);
}

async function install(
  name: string,
  { environment, say }: Surroundings,
  signal: AbortSignal,
): Promise<Outcome<RuntimeRecord>> {
  const runtime = managedRuntimes.find((one) => one.name === name);
  if (runtime === undefined) return refuse("unknown", `there is no runtime "${name}"`);
  const folder = runtimeFolder(environment);
  say(`${runtime.name} (${runtime.about}) into ${folder}`);
  return installRuntime({
    runtime,
    folder,
    environment,
    signal,
    say: (line) => say(`  ${line}`),
    prove: ({ backend }, staged) => (backend === null ? proveOnnx(staged) : proveRuntime(backend, staged)),
  });
}
