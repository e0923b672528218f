/** The model's arithmetic with TensorFlow.js: model.json and its weights. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import "@tensorflow/tfjs-backend-cpu";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";

export async function openModel(folder) {
  await tf.setBackend("cpu");
  const model = await loadGraphModel({ load: () => Promise.resolve(artifactsIn(folder)) });
  return {
    /** inputs: type, shape and numbers by name. Gives [rows, labels] probabilities or [rows] values. */
    run: (inputs) => {
      const answer = tf.tidy(() => {
        const tensors = Object.entries(inputs).map(([name, { data, shape, type }]) => [
          name,
          tf.tensor(data, shape, type === "int64" ? "int32" : type),
        ]);
        return model.predict(Object.fromEntries(tensors)).dataSync();
      });
      return Promise.resolve(answer);
    },
  };
}

function artifactsIn(folder) {
  const { weightsManifest, ...model } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
  const [{ paths, weights }] = weightsManifest;
  const bytes = Buffer.concat(paths.map((path) => readFileSync(join(folder, path))));
  return {
    ...model,
    weightSpecs: weights,
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  };
}
