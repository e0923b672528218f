/**
 * Kim's convolutional text classifier (2014): windows over character or word embeddings, maximum over time,
 * dropout, one dense layer. The graph is `textcnn-program.ts`; training is what all text networks share.
 */
import { accept, refuse } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import { networkBackends } from "../task/network-trainer.ts";
import { numberParam } from "../task/parameter.ts";
import type { ModelDeclaration } from "../task/task.ts";
import { classificationMetrics, textClassification } from "./text-classification.ts";
import {
  createTextNetwork,
  loadTextNetwork,
  savedTextNetwork,
  textNetworkParameters,
  type TextNetworkModel,
} from "./text-network.ts";
import { buildTextcnn } from "./textcnn-program.ts";

function windowsOf(params: Params): number[] {
  return String(params["windows"]).split("-").map(Number);
}

const model: TextNetworkModel = {
  model: "textcnn",
  fillingBehind: (params) => Math.max(...windowsOf(params)) - 1,
  build: (params, { labels, length, vocabulary }) => {
    const windows = windowsOf(params);
    const largest = Math.max(...windows);
    if (length < largest) {
      return refuse(
        "invalid",
        `parameter length of textcnn is ${length}; with windows ${params["windows"]} it must be at least ${largest}`,
      );
    }
    const width = numberParam(params, "width");
    const filters = numberParam(params, "filters");
    return accept(
      buildTextcnn({ vocabulary, width, filters, windows, labels }, numberParam(params, "dropout")),
    );
  },
};

export const textcnn: ModelDeclaration = {
  task: textClassification,
  model: model.model,
  about: "a small convolutional network on character or word embeddings",
  parameters: {
    ...textNetworkParameters,
    lr: { type: "float", min: 1e-5, max: 1, default: 0.01, about: "Adam's learning rate" },
    dropout: {
      type: "float",
      min: 0,
      max: 0.9,
      default: 0.2,
      about: "share of features left out in each training step",
    },
    unit: { ...textNetworkParameters.unit, default: "char" },
    length: { ...textNetworkParameters.length, default: 28 },
    width: { ...textNetworkParameters.width, default: 16 },
    filters: { type: "int", min: 2, max: 512, default: 48, about: "filters per window size" },
    windows: {
      type: "choice",
      choices: ["2", "3", "2-3", "2-3-4", "3-4-5"],
      default: "2-3-4",
      about: "window sizes in tokens",
    },
  },
  backends: networkBackends,
  data: "text",
  reference: {
    params: { rowsPerEpoch: 512, batch: 16, lr: 0.01, dropout: 0 },
    rowsPerEpoch: 512,
    loss: 1.2317,
    examplesPerSecond: 16_000,
  },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 0.003, max: 0.03 },
    dropout: { distribution: "uniform", min: 0, max: 0.4 },
    width: { distribution: "choice", values: [16, 24, 32] },
    filters: { distribution: "choice", values: [32, 48, 64] },
    windows: { distribution: "choice", values: ["2-3", "2-3-4"] },
  },
  metrics: classificationMetrics,
  create: (options) => createTextNetwork(model, options),
  load: (bytes, backend) => loadTextNetwork(model, bytes, backend),
  network: (bytes) => savedTextNetwork(model, bytes),
};
