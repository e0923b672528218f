/** The model's arithmetic with ONNX Runtime: model.onnx. Needs the package onnxruntime-node. */
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";

export async function openModel(folder) {
  const session = await InferenceSession.create(join(folder, "model.onnx"));
  const [output] = session.outputNames;
  return {
    /** inputs: type, shape and numbers by name. Gives [rows, labels] probabilities or [rows] values. */
    run: async (inputs) => {
      const tensors = Object.entries(inputs).map(([name, { data, shape, type }]) => {
        const numbers = type === "int64" ? BigInt64Array.from(data, BigInt) : data;
        return [name, new Tensor(type, numbers, shape)];
      });
      const answers = await session.run(Object.fromEntries(tensors));
      return answers[output].data;
    },
  };
}
