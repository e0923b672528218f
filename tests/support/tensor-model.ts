/** A model that is asked by tensors, without an engine: it gives back what it was asked, under the names of its outputs. */
import { accept } from "../../protocol/refusal.ts";
import type { ServedModel, TensorFace } from "../../serving/model/served-model.ts";

export function tensorModel(
  face: Pick<TensorFace, "inputs" | "outputs"> & Partial<TensorFace>,
): ServedModel & { readonly tensors: TensorFace } {
  return {
    ...{ model: "graph", version: 1, digest: "0".repeat(64), task: "command", algorithm: "onnx" },
    signature: { inputs: [], labels: null, target: "value" },
    answer: () => accept({ kind: "values", values: new Float32Array() }),
    answerTexts: null,
    tensors: {
      rowAnswers: null,
      ofRows: () => [],
      run: (inputs) =>
        Promise.resolve(
          accept(
            face.outputs.flatMap(({ name }, at) =>
              inputs[at] === undefined ? [] : [{ ...inputs[at], name }],
            ),
          ),
        ),
      ...face,
    },
    dispose: () => undefined,
  };
}
