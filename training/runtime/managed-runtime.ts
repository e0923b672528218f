/** The native runtimes that trialmesh can bring in, as data: what each is made of. How is `install-runtime.ts`. */
import type { BackendName } from "../../protocol/capability.ts";

interface ManagedPackage {
  readonly name: string;
  readonly version: string;
  /** The project has one of its own as well; this one is for the runtime alone. */
  readonly shared: boolean;
}

export interface ManagedRuntime {
  /** Also the name of its folder. */
  readonly name: "tfjs-node" | "tfjs-node-gpu" | "webgpu" | "onnx";
  readonly about: string;
  /** Null of one that trains nothing. */
  readonly backend: BackendName | null;
  readonly packages: readonly ManagedPackage[];
  /** What libtensorflow it wants; null where it needs none. */
  readonly tensorflow: "cpu" | "gpu" | null;
}

const tfjsVersion = "4.22.0";
export const onnxPackage = "onnxruntime-node";
const own = (name: string, version: string): ManagedPackage => ({ name, version, shared: false });
const shared = (name: string, version: string): ManagedPackage => ({ name, version, shared: true });

export const managedRuntimes: readonly ManagedRuntime[] = [
  {
    name: "tfjs-node",
    about: "TensorFlow on the processor",
    backend: "tfjs-node",
    packages: [own("@tensorflow/tfjs-node", tfjsVersion)],
    tensorflow: "cpu",
  },
  {
    name: "tfjs-node-gpu",
    about: "TensorFlow on an NVIDIA card, with CUDA",
    backend: "tfjs-node-gpu",
    packages: [own("@tensorflow/tfjs-node-gpu", tfjsVersion)],
    tensorflow: "gpu",
  },
  {
    name: "webgpu",
    about: "any graphics card, through Vulkan, Metal or Direct3D 12",
    backend: "webgpu",
    packages: [
      own("webgpu", "0.6.2"),
      own("@tensorflow/tfjs-backend-webgpu", tfjsVersion),
      shared("@tensorflow/tfjs-core", tfjsVersion),
    ],
    tensorflow: null,
  },
  {
    name: "onnx",
    about: "ONNX Runtime, for serving models that programs made",
    backend: null,
    // Its libraries for the processor lie in the package; only those for CUDA would be downloaded by its script.
    packages: [own(onnxPackage, "1.30.0")],
    tensorflow: null,
  },
];
