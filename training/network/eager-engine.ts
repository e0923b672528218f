/**
 * The graph kernel by kernel on TensorFlow.js, for backends that take no graph of their own (wasm, cpu,
 * webgpu). Weights and optimizer live in typed arrays. Every call leaves as many tensors as it found.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../runtime/backend.ts";
import { differentiate, reachable, type WeightGradient } from "./differentiate.ts";
import { compute } from "./eager-kernel.ts";
import type { Engine, EngineOptions, FilledInputs, WeightParts } from "./network-engine.ts";
import type { WindowMax } from "./eager-window-max.ts";
import { addUpRows, adamStep, type AdamState, type Update } from "./typed-adam.ts";
import { initialValue, type BuiltGraph, type WeightPlan } from "./initial.ts";
import { type Node } from "./node.ts";
import { expect } from "./shape.ts";

/** Nodes to compute, in order, and the nodes wanted of them. */
interface Walk {
  readonly order: readonly Node[];
  readonly wanted: readonly Node[];
}

interface Training {
  readonly walk: Walk;
  readonly gradients: readonly WeightGradient[];
}

export function eagerEngine(tf: TensorFlow, options: EngineOptions): Engine {
  return new EagerEngine(tf, options);
}

class EagerEngine implements Engine {
  readonly #tf: TensorFlow;
  readonly #options: EngineOptions;
  readonly #states: ReadonlyMap<string, AdamState>;
  readonly #trainings: ReadonlyMap<number, Training>;
  readonly #scorings: ReadonlyMap<number, Walk>;

  constructor(tf: TensorFlow, options: EngineOptions) {
    const { graphs, seed, weights } = options;
    this.#tf = tf;
    this.#options = options;
    this.#states = new Map(weights.map((plan) => [plan.name, firstState(plan, seed)]));
    this.#trainings = new Map(graphs.map((graph) => [graph.length, training(graph)]));
    this.#scorings = new Map(graphs.map(({ length, built }) => [length, walkTo([built.score], true)]));
  }

  step(length: number, inputs: FilledInputs, rate: number, step: number): number {
    const { walk, gradients } = found(this.#trainings, length);
    const results = this.#run(walk, inputs, step);
    const read = results.map((tensor) => tensor.dataSync<"float32" | "int32">());
    this.#tf.dispose([...results]);
    let at = 1;
    const updates = gradients.map(({ name, gradient }): Update => {
      const first = read[at++];
      const state = this.#stateOf(name);
      if (gradient.kind === "dense") {
        expect(first instanceof Float32Array, `the gradient of ${name} is no float32`);
        return { state, gradient: { kind: "dense", values: first } };
      }
      const values = read[at++];
      expect(first instanceof Int32Array && values instanceof Float32Array, `the rows of ${name} are wrong`);
      return { state, gradient: addUpRows(first, values) };
    });
    adamStep(updates, this.#options.optimizer, rate, step);
    return read[0]?.[0] ?? NaN;
  }

  score(length: number, inputs: FilledInputs): Float32Array {
    const [result] = this.#run(found(this.#scorings, length), inputs, null);
    expect(result !== undefined, "a score is one node");
    const values = result.dataSync<"float32">();
    result.dispose();
    return Float32Array.from(values);
  }

  read(): ReadonlyMap<string, WeightParts> {
    return new Map(
      [...this.#states].map(([name, { value, mean, square }]) => [
        name,
        { value: value.slice(), mean: mean.slice(), square: square.slice() },
      ]),
    );
  }

  write(parts: ReadonlyMap<string, WeightParts>): void {
    for (const [name, { value, mean, square }] of parts) {
      const state = this.#stateOf(name);
      state.value.set(value);
      state.mean.set(mean);
      state.square.set(square);
    }
  }

  dispose(): void {}

  #stateOf(name: string): AdamState {
    const state = this.#states.get(name);
    expect(state !== undefined, `no weight is called ${name}`);
    return state;
  }

  /** The values of the wanted nodes. */
  #run({ order, wanted }: Walk, inputs: FilledInputs, step: number | null): readonly Tensor[] {
    const values = new Map<Node, Tensor>();
    const valueOf = (node: Node): Tensor => {
      const value = values.get(node);
      expect(value !== undefined, `${node.operation.kind} was read before it was computed`);
      return value;
    };
    const around = {
      tf: this.#tf,
      seed: this.#options.seed,
      step,
      valueOf,
      kept: new Map<Node, WindowMax>(),
      weight: (name: string) => this.#stateOf(name).value,
      input: (name: string) => {
        const given = inputs.get(name);
        expect(given !== undefined, `input ${name} was not given`);
        return given;
      },
    };
    return this.#tf.tidy(() => {
      for (const node of order) values.set(node, compute(node, around));
      return wanted.map((node) => valueOf(node));
    });
  }
}

function firstState(plan: WeightPlan, seed: number): AdamState {
  const value = initialValue(plan, seed);
  const { length } = value;
  const [rows = 1] = plan.shape;
  return {
    value,
    mean: new Float32Array(length),
    square: new Float32Array(length),
    width: length / rows,
    decays: plan.shape.length > 1,
  };
}

function training({ graph, built }: BuiltGraph): Training {
  const gradients = differentiate(graph, built.loss);
  const wanted = gradients.flatMap(({ gradient }) =>
    gradient.kind === "dense" ? [gradient.node] : [gradient.ids, gradient.values],
  );
  return { walk: walkTo([built.loss, ...wanted], false), gradients };
}

/** What the wanted nodes need, in order. Tables that are gathered from in place are never a tensor. */
function walkTo(wanted: readonly Node[], scoring: boolean): Walk {
  const needed = reachable(wanted, (node) => {
    if (scoring && node.operation.kind === "dropout") return node.inputs.slice(0, 1);
    const [first, ...rest] = node.inputs;
    return node.operation.kind === "gather" && first?.operation.kind === "weight" ? rest : node.inputs;
  });
  return { order: [...needed].sort((a, b) => a.id - b.id), wanted };
}

function found<Value>(map: ReadonlyMap<number, Value>, length: number): Value {
  const value = map.get(length);
  expect(value !== undefined, `no graph was built for length ${length}`);
  return value;
}
