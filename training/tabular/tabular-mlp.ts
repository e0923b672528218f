/**
 * A multilayer perceptron on tables: layers of one width with relu and dropout, then a label's probabilities
 * or one number.
 */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import type { Program } from "../network/graph.ts";
import { createNetwork, type Network } from "../network/network.ts";
import type { OpenedBackend } from "../runtime/backend.ts";
import { checkpointOf } from "../task/checkpoint-of.ts";
import { classWeightParameters, classWeights } from "../task/class-weight.ts";
import { networkBackends, adamOf, networkParameters, networkTrainer } from "../task/network-trainer.ts";
import { numberParam } from "../task/parameter.ts";
import type {
  ModelDeclaration,
  Predictor,
  SavedNetwork,
  TablePredictor,
  Trainer,
  TrainerOptions,
} from "../task/task.ts";
import { pick } from "../task/token-dataset.ts";
import { fitScale, scaled, scaledTarget } from "./scale.ts";
import {
  outputsOf,
  tableExtra,
  tablePredictor,
  tableShapeFrom,
  tableTensors,
  type TableShape,
} from "./table-model.ts";
import { evaluateTable, tableMetrics, tabular, trainableTable } from "./table-task.ts";

function programOf(shape: TableShape, params: Params): Program {
  const width = numberParam(params, "width");
  const layers = numberParam(params, "layers");
  const dropout = numberParam(params, "dropout");
  return {
    batch: numberParam(params, "batch"),
    lengths: [0],
    build: (graph, { batch }) => {
      let hidden = graph.input("features", [batch, shape.features.length], "float32");
      for (let layer = 0; layer < layers; layer++) {
        const name = `layer.${layer}`;
        hidden = graph.dropout(graph.relu(graph.dense(name, hidden, width)), dropout, name);
      }
      const output = graph.dense("output", hidden, outputsOf(shape));
      const weights = graph.input("weights", [batch], "float32");
      if (shape.labels === null) {
        const number = graph.reshape(output, [batch]);
        const target = graph.input("target", [batch], "float32");
        return { loss: graph.squaredError(number, target, weights), score: number };
      }
      const truths = graph.input("target", [batch], "int32");
      return { loss: graph.crossEntropy(output, truths, weights), score: graph.softmax(output) };
    },
  };
}

function networkOf(
  shape: TableShape,
  params: Params,
  seed: number,
  backend: OpenedBackend,
): Outcome<Network> {
  return createNetwork(backend, { program: programOf(shape, params), seed, optimizer: adamOf(params) });
}

function predictorOf(shape: TableShape, network: Network): TablePredictor {
  return tablePredictor(
    shape,
    (features) => network.score({ features }),
    () => network.dispose(),
  );
}

function createMlp(options: TrainerOptions): Outcome<Trainer> {
  const { params, seed, backend } = options;
  const checked = trainableTable(options.dataset);
  if (!checked.ok) return checked;
  const dataset = checked.value;
  const { features, labels, train } = dataset;
  const shape: TableShape = { features, labels, scale: fitScale(dataset) };
  const network = networkOf(shape, params, seed, backend);
  if (!network.ok) return network;
  const predictor = predictorOf(shape, network.value);
  const cells = scaled(shape.scale, train.features);
  const target =
    labels === null ? scaledTarget(shape.scale, train.target) : Int32Array.from(train.target, Math.trunc);
  const weights =
    labels === null ? null : classWeights(params["classWeights"] === "balanced", target, labels.length);
  return accept(
    networkTrainer(options, {
      task: tabular,
      model: tabularMlp.model,
      labels: labels ?? [],
      network: network.value,
      rows: {
        count: train.count,
        lengthOf: null,
        inputs: (rows) => ({
          features: pick(cells, rows, features.length),
          target: pick(target, rows, 1),
        }),
        weightOf: (row) => weights?.[target[row] ?? 0] ?? 1,
      },
      predictor,
      lossScale: shape.scale.targetDeviation ** 2,
      evaluate: (split, evaluations) => evaluateTable(predictor, dataset[split], split, evaluations),
      extra: tableExtra(shape),
      constants: tableTensors(shape),
    }),
  );
}

function loadMlp(bytes: Uint8Array, backend: OpenedBackend): Outcome<Predictor> {
  const saved = checkpointOf(tabularMlp, bytes);
  if (!saved.ok) return saved;
  const { meta, tensors } = saved.value;
  const shape = tableShapeFrom(saved.value);
  if (!shape.ok) return shape;
  const network = networkOf(shape.value, meta.params, meta.seed, backend);
  if (!network.ok) return network;
  const filled = network.value.restore(tensors);
  return filled.ok ? accept(predictorOf(shape.value, network.value)) : filled;
}

function savedMlp(bytes: Uint8Array): Outcome<SavedNetwork> {
  const saved = checkpointOf(tabularMlp, bytes);
  if (!saved.ok) return saved;
  const shape = tableShapeFrom(saved.value);
  if (!shape.ok) return shape;
  const program = programOf(shape.value, saved.value.meta.params);
  return accept({ build: (graph, size) => program.build(graph, size), length: 0 });
}

export const tabularMlp: ModelDeclaration = {
  task: tabular,
  model: "mlp",
  about: "a multilayer perceptron: dense layers with relu",
  parameters: {
    lr: { type: "float", min: 1e-5, max: 1, default: 0.003, about: "Adam's learning rate" },
    layers: { type: "int", min: 1, max: 6, default: 2, about: "hidden layers" },
    width: { type: "int", min: 2, max: 1024, default: 64, about: "units of each hidden layer" },
    dropout: {
      type: "float",
      min: 0,
      max: 0.9,
      default: 0.1,
      about: "share of features left out in each training step",
    },
    ...networkParameters,
    ...classWeightParameters,
  },
  backends: networkBackends,
  data: "table",
  reference: {
    params: { batch: 32, rowsPerEpoch: 512, dropout: 0 },
    rowsPerEpoch: 512,
    loss: 1.0617,
    examplesPerSecond: 83_000,
  },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 3e-4, max: 0.03 },
    layers: { distribution: "int", min: 1, max: 3 },
    width: { distribution: "choice", values: [32, 64, 128, 256] },
    dropout: { distribution: "uniform", min: 0, max: 0.5 },
    weightDecay: { distribution: "log-uniform", min: 1e-5, max: 0.1 },
  },
  metrics: tableMetrics,
  create: createMlp,
  load: loadMlp,
  network: savedMlp,
};
