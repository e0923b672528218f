/** The proof a freshly made runtime must give before it is put in place: it opens and differentiates rightly. */
import type { BackendName } from "../../protocol/capability.ts";
import type { Proof } from "../../training/runtime/install-runtime.ts";
import { probeBackend } from "./backend-probe.ts";

/** One model shows that training works; how fast the others are is for the probe to measure. */
const kinds = ["text-classification/textcnn"];

/** `folder` holds the runtime's `node_modules`. */
export async function proveRuntime(backend: BackendName, folder: string): Promise<Proof> {
  const { sound, reason, device } = await probeBackend(backend, {
    kinds,
    environment: { TRIALMESH_RUNTIME: folder },
  });
  return { works: sound, reason, device };
}
