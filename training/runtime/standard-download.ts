/**
 * tfjs-node's own way to its library: the download its install script knows, of TensorFlow 2.9.1 (CUDA 11.2).
 * Whether the host is there is asked first, since that script waits for ever.
 */
import { existsSync, rmSync } from "node:fs";
import { arch, platform } from "node:os";
import { delimiter, join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { refuseStep, type InstallContext } from "./install-context.ts";
import { bindingPath } from "./native-binding.ts";
import { runStep } from "./run-step.ts";

const reachTimeoutMs = 5_000;
const installTimeoutMs = 900_000;
const version = "2.9.1";

const systems: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };

/** Whether its library can be had. */
export function reachStandard(context: InstallContext): Promise<Outcome<null>> {
  return reach(libraryAddress(context), context.signal);
}

/** Leaves library and binding in the package at `home`; gives TensorFlow's version. */
export async function downloadStandard(context: InstallContext, home: string): Promise<Outcome<string>> {
  for (const folder of ["deps", "lib"]) rmSync(join(home, folder), { recursive: true, force: true });
  const bin = join(context.staging, "packages", "node_modules", ".bin");
  const end = await runStep({
    program: process.execPath,
    parameters: [join("scripts", "install.js"), context.runtime.tensorflow === "gpu" ? "gpu" : "cpu"],
    cwd: home,
    env: { ...context.environment, PATH: `${bin}${delimiter}${context.environment["PATH"] ?? ""}` },
    timeoutMs: installTimeoutMs,
    signal: context.signal,
  });
  if (end.how === "done" && existsSync(bindingPath(home))) return accept(version);
  return refuseStep(context, "tfjs-node's own install script", end, "another way is tried");
}

/** Where that script would look, by its own settings. */
export function libraryAddress({ environment, runtime }: InstallContext): string {
  const host =
    environment["TFJS_NODE_CDN_STORAGE"] ?? environment["CDN_STORAGE"] ?? "https://storage.googleapis.com/";
  if (arch() === "arm64" && platform() !== "win32")
    return platform() === "darwin"
      ? `${host}tf-builds/libtensorflow_r2_7_darwin_arm64_cpu.tar.gz`
      : `${host}tf-builds/libtensorflow_r2_7_linux_arm64.tar.gz`;
  const base = environment["TFJS_NODE_BASE_URI"] ?? `${host}tensorflow/libtensorflow/libtensorflow-`;
  const kind = platform() === "darwin" ? "cpu" : (runtime.tensorflow ?? "cpu");
  return `${base}${kind}-${systems[platform()] ?? platform()}-x86_64-${version}.${platform() === "win32" ? "zip" : "tar.gz"}`;
}

async function reach(address: string, signal: AbortSignal): Promise<Outcome<null>> {
  const host = URL.canParse(address) ? new URL(address).host : address;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(reachTimeoutMs)]);
    const answer = await fetch(address, { method: "HEAD", signal: limit });
    return answer.ok ? accept(null) : refuse("unavailable", `${host} answers ${answer.status}`);
  } catch {
    return refuse("unavailable", `${host} cannot be reached`);
  }
}
