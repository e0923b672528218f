/**
 * The model's arithmetic in plain JavaScript: graph.json says what is done, in ONNX's words, model.safetensors has the weights.
 * Needs no package.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compute, scalarTensor } from "./graph.mjs";

export function openModel(folder) {
  const graph = JSON.parse(readFileSync(join(folder, "graph.json"), "utf8"));
  const constants = readSafetensors(join(folder, "model.safetensors"));
  for (const [name, scalar] of Object.entries(graph.scalars)) constants.set(name, scalarTensor(scalar));
  return Promise.resolve({
    /** inputs: type, shape and numbers by name. Gives [rows, labels] probabilities or [rows] values. */
    run: (inputs) => {
      const values = new Map([...constants, ...Object.entries(inputs)]);
      for (const node of graph.nodes)
        values.set(
          node.output,
          compute(
            node,
            node.inputs.map((name) => values.get(name)),
          ),
        );
      return Promise.resolve(values.get(graph.output.name).data);
    },
  });
}

/** https://github.com/huggingface/safetensors#format */
function readSafetensors(path) {
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes));
  const body = bytes.subarray(8 + headerBytes);
  const tensors = Object.entries(header).map(
    ([
      name,
      {
        data_offsets: [from, to],
        dtype,
        shape,
      },
    ]) => {
      const raw = Uint8Array.from(body.subarray(from, to)).buffer;
      return [
        name,
        dtype === "F32"
          ? { type: "float32", shape, data: new Float32Array(raw) }
          : { type: "int64", shape, data: new Int32Array(raw) },
      ];
    },
  );
  return new Map(tensors);
}
