/**
 * TensorFlow.js on a graphics card through WebGPU: Dawn from the npm package `webgpu`, brought in by
 * `runtime install webgpu`. Only a real card counts: what a processor draws is slower than wasm.
 * Dawn keeps Node alive: a process that opened this ends by `process.exit`.
 */
import * as z from "zod";
import { storedText } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { isTensorFlow, type OpenedBackend } from "./backend.ts";
import { mendKernels } from "./tensor-kernel.ts";
import { findPackage, type FoundPackage } from "./managed-package.ts";
import { readWhileWaiting } from "./webgpu-read.ts";

/** Set to 1, a software adapter (Mesa's llvmpipe) is taken too: for tests on machines without a card. */
const softwareVariable = "TRIALMESH_WEBGPU_SOFTWARE";
const softwareNames = /llvmpipe|lavapipe|swiftshader|software|basic render|warp/iu;

const adapterInfoSchema = z.object({
  vendor: storedText,
  architecture: storedText,
  device: storedText,
  description: storedText,
  isFallbackAdapter: z.boolean().default(false),
});
type AdapterInfo = z.infer<typeof adapterInfoSchema>;

export async function openWebgpu(): Promise<Outcome<OpenedBackend>> {
  const dawn = findPackage("webgpu");
  const found = findPackage("@tensorflow/tfjs-backend-webgpu");
  if (dawn === null || found === null)
    return refuse("unavailable", "not installed; `trialmesh runtime install webgpu` adds it");
  const started = startDawn(dawn);
  if (started === null) return refuse("unavailable", "package webgpu is installed but is no WebGPU");
  const { gpu, pump } = started;
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null)
    return refuse(
      "unavailable",
      "no graphics card that WebGPU can use; its driver for Vulkan, Metal or Direct3D 12 may be missing",
    );
  const info = adapterInfoSchema.parse(readInfo(adapter));
  const device = info.description === "" ? `${info.vendor} ${info.device}` : info.description;
  if (isSoftware(info) && process.env[softwareVariable] !== "1")
    return refuse(
      "unavailable",
      `WebGPU has only a software adapter here (${device}), which is slower than wasm`,
    );
  // The backend must share its core: both come from the one folder.
  const tf = found.loadBeside("@tensorflow/tfjs-core");
  if (!isTensorFlow(tf)) return refuse("unavailable", "backend webgpu is installed without TensorFlow.js");
  found.load();
  tf.enableProdMode();
  if (!(await tf.setBackend("webgpu")))
    return refuse("unavailable", `backend webgpu did not start on ${device}`);
  await tf.ready();
  mendKernels(tf, "webgpu");
  const readable = readWhileWaiting(tf, pump);
  if (!readable.ok) return readable;
  return accept({ name: "webgpu", version: found.version, device, tf });
}

interface Adapter {
  readonly info: unknown;
}
interface Gpu {
  requestAdapter(options: { readonly powerPreference: string }): Promise<Adapter | null>;
}

/** Puts WebGPU's names where the backend looks for them; Node's own `navigator` can only be redefined. */
function startDawn(packaged: FoundPackage): { readonly gpu: Gpu; readonly pump: () => void } | null {
  const pump = catchTurns();
  const dawn = packaged.load();
  if (!isDawn(dawn)) return null;
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create([]);
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true, writable: true });
  return { gpu, pump };
}

/**
 * Dawn asks for its turns through `setImmediate`. Keeping hold of what it hands over lets a read take those
 * turns at once, instead of waiting for an event loop it blocks. Everybody else's calls pass as they are.
 */
function catchTurns(): () => void {
  const waiting = new Set<() => void>();
  globalThis.setImmediate = new Proxy(globalThis.setImmediate, {
    apply: (immediate, _, [run, ...parameters]: [(...given: unknown[]) => void, ...unknown[]]) => {
      if (!isNative(run)) return immediate(run, ...parameters);
      const once = () => {
        if (waiting.delete(once)) run();
      };
      waiting.add(once);
      return immediate(once);
    },
  });
  return () => {
    for (const run of waiting) run();
  };
}

/** A function of an addon: it has no name, where a bound one is called "bound …". */
function isNative(run: (...given: unknown[]) => void): boolean {
  return run.name === "" && Function.prototype.toString.call(run).includes("[native code]");
}

function isDawn(value: unknown): value is { create(options: readonly string[]): Gpu; globals: object } {
  return typeof value === "object" && value !== null && "create" in value && "globals" in value;
}

/** Its fields are getters of a native object, which a schema of plain objects does not see. */
function readInfo({ info }: Adapter): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  if (typeof info !== "object" || info === null) return read;
  for (const key of adapterInfoSchema.keyof().options) {
    const value: unknown = Reflect.get(info, key);
    if (value !== undefined) read[key] = value;
  }
  return read;
}

function isSoftware(info: AdapterInfo): boolean {
  return (
    info.isFallbackAdapter || softwareNames.test(`${info.architecture} ${info.device} ${info.description}`)
  );
}
