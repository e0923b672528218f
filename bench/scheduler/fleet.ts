/** Ten thousand unlike machines: forty kinds of hardware, each machine with its own measured speed. */
import type { Capability } from "../../protocol/capability.ts";
import { openPolicy, type Policy } from "../../protocol/capability.ts";
import type { RandomStream } from "../../search/space/random-stream.ts";

export interface Machine {
  readonly name: string;
  readonly capability: Capability;
  readonly policy: Policy;
}

export const task = "work";
export const models = ["linear", "fasttext", "textcnn", "transformer"] as const;

const gpus = [
  null,
  { vendor: "NVIDIA", model: "RTX 3060", vramGiB: 12, computeCapability: 8.6 },
  { vendor: "NVIDIA", model: "RTX 4090", vramGiB: 24, computeCapability: 8.9 },
  { vendor: "Apple", model: "M2", vramGiB: null, computeCapability: null },
];
const cores = [4, 8, 16, 32, 64];
const systems = ["linux", "darwin"];

/** `kinds` at most 40: four graphics cards, five sizes, two systems. */
export function makeFleet(count: number, kinds: number, random: RandomStream): Machine[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = index % kinds;
    const gpu = gpus[kind % gpus.length] ?? null;
    const size = cores[Math.floor(kind / gpus.length) % cores.length] ?? 4;
    const os = systems[Math.floor(kind / (gpus.length * cores.length)) % systems.length] ?? "linux";
    // Machines of one kind still differ: age, cooling, what else they do.
    const speed = (size / 16) * (gpu === null ? 1 : 3) * (0.8 + 0.4 * random.next());
    const backend = gpu === null ? "tfjs-node" : "tfjs-node-gpu";
    return {
      name: `agent-${index + 1}`,
      policy: openPolicy(1 + (kind % 2)),
      capability: {
        host: {
          os,
          arch: "x64",
          cpuModel: `kind ${kind}`,
          cores: size,
          memGiB: size * 4,
          diskGiB: 100 + Math.floor(400 * random.next()),
          gpus: gpu === null ? [] : [gpu],
          cpuFeatures: ["avx2"],
        },
        node: "24",
        backends: [{ name: backend, works: true, reason: null, version: null, dtypes: ["f32"] }],
        rates: models.map((model) => ({
          kind: `${task}/${model}`,
          backend,
          examplesPerSecond: 1000 * speed,
          tokensPerSecond: Math.max(0.05, speed),
        })),
        labels: {},
        python: null,
      },
    };
  });
}
