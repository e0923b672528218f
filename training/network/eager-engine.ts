/**
 * The graph kernel by kernel on TensorFlow.js, for backends that take no graph of their own (wasm, cpu,
 * webgpu). Weights and optimizer live in typed arrays. Every call leaves as many tensors as it found.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../runtime/backend.ts";
import { differentiate, reachable, type WeightGradient } from "./differentiate.ts";
import { compute } from "./eager-kernel.ts";
import type { Engine, EngineOptions, FilledInputs } from "./network-engine.ts";
import type { WindowMax } from "./eager-window-max.ts";
import { addUpRows, adamStep, type AdamState, type Update } from "./typed-adam.ts";
import { initialValue, type BuiltGraph } from "./initial.ts";
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

export function eagerEngine(tf: TensorFlow, { graphs, weights, seed, optimizer }: EngineOptions): Engine {
  const states = new Map<string, AdamState>(
    weights.map((plan) => {
      const value = initialValue(plan, seed);
      const { length } = value;
      const [rows = 1] = plan.shape;
      return [
        plan.name,
        {
          value,
          mean: new Float32Array(length),
          square: new Float32Array(length),
          width: length / rows,
          decays: plan.shape.length > 1,
        },
      ];
    }),
  );
  const stateOf = (name: string): AdamState => {
    const state = states.get(name);
    expect(state !== undefined, `no weight is called ${name}`);
    return state;
  };
  const trainings = new Map(graphs.map((graph) => [graph.length, training(graph)]));
  const scorings = new Map(graphs.map(({ length, built }) => [length, walkTo([built.score], true)]));

  /** The values of the wanted nodes. */
  const run = ({ order, wanted }: Walk, inputs: FilledInputs, step: number | null): readonly Tensor[] => {
    const values = new Map<Node, Tensor>();
    const valueOf = (node: Node): Tensor => {
      const value = values.get(node);
      expect(value !== undefined, `${node.operation.kind} was read before it was computed`);
      return value;
    };
    const around = {
      tf,
      seed,
      step,
      valueOf,
      kept: new Map<Node, WindowMax>(),
      weight: (name: string) => stateOf(name).value,
      input: (name: string) => {
        const given = inputs.get(name);
        expect(given !== undefined, `input ${name} was not given`);
        return given;
      },
    };
    return tf.tidy(() => {
      for (const node of order) values.set(node, compute(node, around));
      return wanted.map((node) => valueOf(node));
    });
  };

  return {
    step: (length, inputs, rate, step) => {
      const { walk, gradients } = found(trainings, length);
      const results = run(walk, inputs, step);
      const read = results.map((tensor) => tensor.dataSync<"float32" | "int32">());
      tf.dispose([...results]);
      let at = 1;
      const updates = gradients.map(({ name, gradient }): Update => {
        const first = read[at++];
        const state = stateOf(name);
        if (gradient.kind === "dense") {
          expect(first instanceof Float32Array, `the gradient of ${name} is no float32`);
          return { state, gradient: { kind: "dense", values: first } };
        }
        const values = read[at++];
        expect(
          first instanceof Int32Array && values instanceof Float32Array,
          `the rows of ${name} are wrong`,
        );
        return { state, gradient: addUpRows(first, values) };
      });
      adamStep(updates, optimizer, rate, step);
      return read[0]?.[0] ?? NaN;
    },
    score: (length, inputs) => {
      const [result] = run(found(scorings, length), inputs, null);
      expect(result !== undefined, "a score is one node");
      const values = result.dataSync<"float32">();
      result.dispose();
      return Float32Array.from(values);
    },
    read: () =>
      new Map(
        [...states].map(([name, { value, mean, square }]) => [
          name,
          { value: value.slice(), mean: mean.slice(), square: square.slice() },
        ]),
      ),
    write: (parts) => {
      for (const [name, { value, mean, square }] of parts) {
        const state = stateOf(name);
        state.value.set(value);
        state.mean.set(mean);
        state.square.set(square);
      }
    },
    dispose: () => undefined,
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
