/**
 * A stand-in for choosing a network: each further layer brings a width of its own, and a warm-up matters only without
 * normalisation. Chosen because most parameters here exist only sometimes, by a range of another and not by a
 * single value of it, which is how architectures are searched. Not fitted to any measurement.
 */
import type { Params } from "../../protocol/value.ts";
import { numberIn, type BenchFunction } from "./bench-function.ts";

const layersMost = 4;
const depthCost: readonly number[] = [0, 0.12, 0.04, 0, 0.02];
const activationCost: Readonly<Record<string, number>> = { relu: 0.02, tanh: 0.06, gelu: 0 };
const normCost: Readonly<Record<string, number>> = { none: 0.05, batch: 0.01, layer: 0 };

const width = (layer: number) => ({
  distribution: "log-int" as const,
  min: 8,
  max: 512,
  when: { layers: { min: layer } },
});

export const networkTree: BenchFunction = {
  name: "network-tree",
  space: {
    layers: { distribution: "int", min: 1, max: layersMost },
    norm: { distribution: "choice", values: ["none", "batch", "layer"] },
    activation: { distribution: "choice", values: ["relu", "tanh", "gelu"] },
    lr: { distribution: "log-uniform", min: 1e-5, max: 1e-1 },
    dropout: { distribution: "uniform", min: 0, max: 0.7 },
    width1: { distribution: "log-int", min: 8, max: 512 },
    width2: width(2),
    width3: width(3),
    width4: width(4),
    warmup: { distribution: "uniform", min: 0, max: 0.5, when: { norm: "none" } },
  },
  optimum: 0,
  noise: 0,
  value(params: Params) {
    const layers = numberIn(params, "layers");
    const norm = String(params["norm"]);
    const bestRate = -2.5 - 0.2 * layers + (norm === "none" ? 0 : 0.3);
    let sum =
      (depthCost[layers] ?? 0) +
      (activationCost[String(params["activation"])] ?? 0) +
      (normCost[norm] ?? 0) +
      0.1 * (Math.log10(numberIn(params, "lr")) - bestRate) ** 2 +
      0.3 * (numberIn(params, "dropout") - 0.1 * layers) ** 2;
    // A funnel: 128, 64, 32 and 16 units.
    for (let layer = 1; layer <= layers; layer++) {
      sum += 0.02 * (Math.log2(numberIn(params, `width${layer}`)) - (8 - layer)) ** 2;
    }
    if (norm === "none") sum += 0.3 * (numberIn(params, "warmup") - 0.2) ** 2;
    return sum;
  },
};
