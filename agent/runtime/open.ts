/**
 * Opens a backend in this process. TensorFlow.js keeps one backend at a time, so a process opens one.
 * A backend that is not installed or does not start is a refusal, never an exception.
 */
import { createRequire } from "node:module";
import util from "node:util";
import * as z from "zod";
import type { BackendName } from "../../protocol/capability.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { noBackend, sparseBackend, type OpenedBackend, type TensorFlow } from "./backend.ts";
import { mendKernels } from "./kernel.ts";

/** Names in the order to try when nothing has been measured yet. */
export const backendPreference: readonly BackendName[] = [
  "tfjs-node-gpu",
  "tfjs-node",
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
      return openNative(name);
    case "webgpu":
      return refuse("unavailable", "backend webgpu is not supported yet; wasm or cpu run everywhere");
  }
}

/** Version of an installed package, or null where it is absent. */
export function packageVersion(name: string): string | null {
  try {
    const found: unknown = createRequire(import.meta.url)(`${name}/package.json`);
    return z.object({ version: z.string() }).parse(found).version;
  } catch {
    return null;
  }
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
    return refuse("unavailable", `backend ${name} did not start: ${sentence(error)}`);
  }
}

async function openNative(name: "tfjs-node" | "tfjs-node-gpu"): Promise<Outcome<OpenedBackend>> {
  const packageName = `@tensorflow/${name}`;
  const version = packageVersion(packageName);
  if (version === null)
    return refuse("unavailable", `backend ${name} is not installed; npm install ${packageName} adds it`);
  // Removed in Node 23, still called by tfjs-node 4.22.
  const target: Record<string, unknown> = util;
  target["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  target["isArray"] ??= Array.isArray;
  try {
    await import(packageName);
    const tf: TensorFlow = await import("@tensorflow/tfjs-core");
    await tf.ready();
    if (tf.getBackend() !== "tensorflow")
      return refuse("unavailable", `backend ${name} loaded but TensorFlow did not start`);
    return accept({ name, version, tf });
  } catch (error) {
    return refuse("unavailable", `backend ${name} is installed but did not start: ${sentence(error)}`);
  }
}

function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
