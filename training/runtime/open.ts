/**
 * Opens a backend in this process. TensorFlow.js keeps one backend at a time, so a process opens one.
 * A backend that is not installed or does not start is a refusal, never an exception.
 */
import util from "node:util";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { BackendName } from "../../protocol/capability.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import * as z from "zod";
import { storedText } from "../../protocol/bound.ts";
import { isTensorFlow, noBackend, sparseBackend, type OpenedBackend, type TensorFlow } from "./backend.ts";
import { mendKernels } from "./tensor-kernel.ts";
import { findPackage, installCommand } from "./managed-package.ts";
import { openWebgpu } from "./webgpu.ts";

/** Names in the order to try when nothing has been measured yet. */
export const backendPreference: readonly BackendName[] = [
  "tfjs-node-gpu",
  "tfjs-node",
  "webgpu",
  "wasm",
  "cpu",
  "sparse",
  "none",
];

export async function openBackend(name: BackendName): Promise<Outcome<OpenedBackend>> {
  switch (name) {
    case "sparse":
      return accept(sparseBackend);
    case "none":
      return accept(noBackend);
    case "wasm":
    case "cpu":
      return openScript(name);
    case "tfjs-node":
    case "tfjs-node-gpu":
      return openGuarded(name, () => openNative(name));
    case "webgpu":
      return openGuarded(name, openWebgpu);
  }
}

/** Version of an installed package, or null where it is absent. */
export function packageVersion(name: string): string | null {
  return findPackage(name)?.version ?? null;
}

async function openScript(name: "wasm" | "cpu"): Promise<Outcome<OpenedBackend>> {
  const packageName = `@tensorflow/tfjs-backend-${name}`;
  try {
    const tf = await import("@tensorflow/tfjs-core");
    if (name === "wasm") await import("@tensorflow/tfjs-backend-wasm");
    else await import("@tensorflow/tfjs-backend-cpu");
    tf.enableProdMode(); // no checks of every value, no banner on standard output
    if (!(await tf.setBackend(name)))
      return refuse("unavailable", `backend ${name} did not start on this machine`);
    await tf.ready();
    mendKernels(tf, name);
    return accept({ name, version: packageVersion(packageName) ?? "unknown", tf });
  } catch (error) {
    return refuse("unavailable", `backend ${name} did not start: ${errorSentence(error)}`);
  }
}

async function openGuarded(
  name: BackendName,
  open: () => Promise<Outcome<OpenedBackend>>,
): Promise<Outcome<OpenedBackend>> {
  try {
    return await open();
  } catch (error) {
    return refuse("unavailable", `backend ${name} is installed but did not start: ${errorSentence(error)}`);
  }
}

async function openNative(name: "tfjs-node" | "tfjs-node-gpu"): Promise<Outcome<OpenedBackend>> {
  const packageName = `@tensorflow/${name}`;
  const found = findPackage(packageName);
  if (found === null)
    return refuse("unavailable", `not installed; \`${installCommand(packageName)}\` adds it`);
  // Removed in Node 23, still called by tfjs-node 4.22.
  const target: Record<string, unknown> = util;
  target["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  target["isArray"] ??= Array.isArray;
  // Its greetings would stand in every trial's log; errors still do.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  // It brings its own core: what it exports is that one, with its kernels.
  const tf = found.load();
  if (!isTensorFlow(tf)) return refuse("unavailable", `backend ${name} is installed but is no TensorFlow.js`);
  await tf.ready();
  if (tf.getBackend() !== "tensorflow")
    return refuse("unavailable", `backend ${name} loaded but TensorFlow did not start`);
  const native = nativeOf(tf);
  if (name === "tfjs-node-gpu" && native?.usesGpu === false)
    return refuse(
      "unavailable",
      `TensorFlow ${native.version} found no card that its CUDA can use, and would compute on the processor`,
    );
  const device =
    native === null ? {} : { device: `TensorFlow ${native.version}, ${native.usesGpu ? "GPU" : "CPU"}` };
  return accept({ name, version: found.version, ...device, tf });
}

const nativeSchema = z.object({
  isUsingGpuDevice: z.boolean(),
  binding: z.object({ TF_Version: storedText }),
});

/** What libtensorflow says of itself; null where a later package keeps it elsewhere. */
function nativeOf(tf: TensorFlow): { readonly version: string; readonly usesGpu: boolean } | null {
  const read = nativeSchema.safeParse(tf.backend());
  return read.success ? { version: read.data.binding.TF_Version, usesGpu: read.data.isUsingGpuDevice } : null;
}
