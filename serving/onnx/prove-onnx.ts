/** The proof that a freshly made ONNX Runtime must give before it is put in place: it computes a sum rightly, in a process of its own. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryFolder } from "../../system/temporary-folder.ts";
import type { Proof } from "../../training/runtime/install-runtime.ts";
import { TensorGraphBuilder } from "../export/graph/tensor-graph.ts";
import { onnxFile } from "../export/onnx/onnx-file.ts";
import { OnnxEngine } from "./onnx-engine.ts";

/** `folder` holds the runtime's `node_modules`. */
export async function proveOnnx(folder: string): Promise<Proof> {
  const place = makeTemporaryFolder("trialmesh-onnx-");
  try {
    const path = join(place, "sum.onnx");
    writeFileSync(path, Buffer.concat(sumFile()));
    const opened = await OnnxEngine.open({ path, runtimeFolder: folder });
    if (!opened.ok) return { works: false, reason: opened.refusal.message, device: null };
    const { engine } = opened.value;
    const data = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
    const ran = await engine.run([{ name: "x", type: "float32", shape: [3], data }], ["values"]);
    engine.close();
    const sum = ran.ok ? ran.value[0]?.data : undefined;
    const works = sum instanceof Uint8Array && new Float32Array(sum.slice().buffer).join() === "2,4,6";
    const reason = ran.ok ? "it adds wrongly" : ran.refusal.message;
    return { works, reason: works ? null : reason, device: null };
  } finally {
    rmSync(place, { recursive: true, force: true, maxRetries: 5 });
  }
}

function sumFile(): readonly Uint8Array[] {
  const builder = new TensorGraphBuilder();
  const x = builder.input("x", "float32", ["rows"]);
  const graph = builder.finish(builder.node({ op: "Add" }, x, x), "values", ["rows"]);
  return onnxFile(graph, { name: "sum", producerVersion: "1", description: "x + x", metadata: {} });
}
