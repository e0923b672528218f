/** Facts about this machine. What cannot be found out is null or left out, never zero. Nothing is measured here. */
import { statfs } from "node:fs/promises";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import si from "systeminformation";
import { bytesPerGiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { computeCapabilityOf, readComputeCapabilities } from "./compute-capability.ts";
import type { Host } from "../../protocol/capability.ts";

const factDeadlineMs = 4_000;
/** Instruction sets that matter to numeric code; the other hundred flags would only fill messages. */
const notedFeatures = new Set(
  (
    "sse4_2 avx avx2 fma f16c avx512f avx512_vnni avx512_bf16 avx_vnni amx_tile amx_bf16 amx_int8 " +
    "asimd asimdhp asimddp bf16 i8mm sve sve2"
  ).split(" "),
);

/** `dir` says which disk's free space counts. */
export async function readHost(dir: string): Promise<Host> {
  const [computeCapabilities, cpu, graphics, disk] = await Promise.all([
    readComputeCapabilities(),
    factOrNull(si.cpu()),
    factOrNull(si.graphics()),
    factOrNull(statfs(dir)),
  ]);
  const named = cpu === null ? "" : `${cpu.manufacturer} ${cpu.brand}`.trim();
  const limit = process.constrainedMemory();
  const memory = limit > 0 && limit < totalmem() ? limit : totalmem();
  return {
    os: platform(),
    arch: arch(),
    cpuModel: named === "" ? (cpus()[0]?.model.trim() ?? "unknown") : named,
    cores: availableParallelism(),
    memGiB: round(memory / bytesPerGiB),
    diskGiB: disk === null ? null : round((disk.bavail * disk.bsize) / bytesPerGiB),
    gpus: (graphics?.controllers ?? [])
      .filter((gpu) => gpu.model !== "" && !isVirtual(`${gpu.vendor} ${gpu.model}`))
      .map((gpu) => ({
        vendor: gpu.vendor,
        model: gpu.model,
        vramGiB: vramOf(gpu),
        computeCapability: computeCapabilityOf(gpu.model, computeCapabilities),
      })),
    cpuFeatures: (cpu?.flags ?? "").split(" ").filter((flag) => notedFeatures.has(flag)),
  };
}

interface GpuMemory {
  readonly memoryTotal?: number | undefined;
  readonly vram: number | null;
  readonly vramDynamic: boolean;
}

function vramOf({ memoryTotal, vram, vramDynamic }: GpuMemory): number | null {
  const mib = memoryTotal ?? (vramDynamic ? null : vram);
  return mib === null || mib <= 0 ? null : round((mib * bytesPerMiB) / bytesPerGiB);
}

/** A display adapter of a virtual machine computes nothing. */
function isVirtual(name: string): boolean {
  return /virtio|qxl|cirrus|bochs|vmware|basic display|hyper-v/iu.test(name);
}

async function factOrNull<T>(fact: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), factDeadlineMs);
  });
  try {
    return await Promise.race([fact, late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
