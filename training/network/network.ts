/**
 * Trains and scores a program's graph on a backend: as one compiled TensorFlow graph where the backend is
 * libtensorflow, else kernel by kernel. It knows nothing of epochs, tokens or checkpoint bytes.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { OpenedBackend } from "../runtime/backend.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { AdamOptions } from "./adam-options.ts";
import { reachable } from "./differentiate.ts";
import { eagerEngine } from "./eager-engine.ts";
import type { Engine, FilledInputs, WeightParts } from "./network-engine.ts";
import { Graph, type Program } from "./graph.ts";
import { nativeEngine, sessionBackend } from "./native-engine.ts";
import { inputsOf, weightsOf, type BuiltGraph, type WeightPlan } from "./initial.ts";
import { type Node } from "./node.ts";
import { expect, sizeOf } from "./shape.ts";

export interface NetworkOptions {
  readonly program: Program;
  /** Seeds initial weights and dropout. */
  readonly seed: number;
  readonly optimizer: AdamOptions;
}

/** By input name, row by row; inputs the loss or score does not read may be left out. */
export type NetworkInputs = Readonly<Record<string, Float32Array | Int32Array>>;

export interface StepOptions {
  readonly rate: number;
  /** Counts from 0: with the seed it is the whole random state. */
  readonly step: number;
  /** Which of the program's lengths the inputs have; the longest where it is left out. */
  readonly length?: number;
}

export interface Network {
  readonly program: Program;
  /**
   * One optimizer step; the batch's loss before it. At most `batch` rows; an input "weights" may be left
   * out and is then 1 for each row.
   */
  step(inputs: NetworkInputs, options: StepOptions): number;
  /** [rows, ...]: any number of rows. */
  score(inputs: NetworkInputs, length?: number): Float32Array;
  /** Copies of weights and optimizer state by name: what a checkpoint keeps. */
  tensors(): ReadonlyMap<string, TensorData>;
  restore(tensors: ReadonlyMap<string, TensorData>): Outcome<null>;
  dispose(): void;
}

export function createNetwork(backend: OpenedBackend, options: NetworkOptions): Outcome<Network> {
  const { tf } = backend;
  if (tf === null)
    return refuse("invalid", `backend ${backend.name} runs no networks; tfjs-node, wasm or cpu do`);
  const { program, seed, optimizer } = options;
  const graphs = program.lengths.map((length) => {
    const graph = new Graph();
    return { graph, built: program.build(graph, { batch: program.batch, length }), length };
  });
  const weights = weightsOf(graphs);
  const session = sessionBackend(tf);
  const parts = { graphs, weights, seed, optimizer };
  const made = session === null ? accept(eagerEngine(tf, parts)) : nativeEngine(tf, session, parts);
  return made.ok ? accept(new EngineNetwork(program, graphs, weights, made.value)) : made;
}

class EngineNetwork implements Network {
  readonly program: Program;
  readonly #weights: readonly WeightPlan[];
  readonly #engine: Engine;
  readonly #longest: number;
  /** What a step, and what a score reads, by length. */
  readonly #trained: ReadonlyMap<number, ReadonlyMap<string, Node>>;
  readonly #scored: ReadonlyMap<number, ReadonlyMap<string, Node>>;

  constructor(
    program: Program,
    graphs: readonly BuiltGraph[],
    weights: readonly WeightPlan[],
    engine: Engine,
  ) {
    this.program = program;
    this.#weights = weights;
    this.#engine = engine;
    this.#longest = program.lengths.at(-1) ?? 0;
    this.#trained = new Map(graphs.map(({ graph, length }) => [length, inputsOf(graph.nodes)]));
    this.#scored = new Map(
      graphs.map(({ built, length }) => [length, inputsOf(reachable([built.score]))] as const),
    );
  }

  step(inputs: NetworkInputs, { rate, step, length = this.#longest }: StepOptions): number {
    const { batch } = this.program;
    const filled = fillUp(inputs, found(this.#trained, length), batch, 0);
    expect(filled.rows > 0 && filled.rest === 0, `a step takes 1 to ${batch} rows`);
    return this.#engine.step(length, filled.inputs, rate, step);
  }

  score(inputs: NetworkInputs, length = this.#longest): Float32Array {
    const { batch } = this.program;
    const parts: Float32Array[] = [];
    for (let from = 0, rest = 1; rest > 0; from += batch) {
      const filled = fillUp(inputs, found(this.#scored, length), batch, from);
      const values = this.#engine.score(length, filled.inputs);
      parts.push(values.subarray(0, (values.length / batch) * filled.rows));
      rest = filled.rest;
    }
    return joined(parts);
  }

  tensors(): ReadonlyMap<string, TensorData> {
    const read = this.#engine.read();
    return new Map(
      this.#weights.flatMap(({ name, shape }) => {
        const parts = read.get(name);
        expect(parts !== undefined, `weight ${name} is gone`);
        return stateNames(name).map(([key, part]) => [key, { shape, data: parts[part] }] as const);
      }),
    );
  }

  restore(tensors: ReadonlyMap<string, TensorData>): Outcome<null> {
    const restored = new Map<string, WeightParts>();
    for (const { name, shape } of this.#weights) {
      const parts: Record<keyof WeightParts, Float32Array> = { value: empty, mean: empty, square: empty };
      for (const [key, part] of stateNames(name)) {
        const saved = tensors.get(key);
        if (!(saved?.data instanceof Float32Array) || saved.data.length !== sizeOf(shape))
          return refuse(
            "invalid",
            `the checkpoint's tensor ${key} does not fit this model; it is of other parameters or data`,
          );
        parts[part] = saved.data;
      }
      restored.set(name, parts);
    }
    this.#engine.write(restored);
    return accept(null);
  }

  dispose(): void {
    this.#engine.dispose();
  }
}

const empty = new Float32Array(0);

/** The names a checkpoint keeps a weight and its moments under. */
function stateNames(name: string): readonly (readonly [string, keyof WeightParts])[] {
  return [
    [name, "value"],
    [`adam.mean.${name}`, "mean"],
    [`adam.square.${name}`, "square"],
  ];
}

/** Rows from `from` on, at most a batch of them, filled up with zeros; `rest` rows come after. */
function fillUp(
  given: NetworkInputs,
  wanted: ReadonlyMap<string, Node>,
  batch: number,
  from: number,
): { readonly inputs: FilledInputs; readonly rows: number; readonly rest: number } {
  let all: number | null = null;
  for (const [name, { shape }] of wanted) {
    const values = given[name];
    if (values === undefined) continue;
    const width = sizeOf(shape) / batch;
    const rows = values.length / width;
    expect(Number.isInteger(rows), `input ${name} has ${values.length} numbers, not a multiple of ${width}`);
    expect(all === null || all === rows, `input ${name} has ${rows} rows, others ${all}`);
    all = rows;
  }
  expect(all !== null, "no input was given");
  const rows = Math.min(batch, all - from);
  const inputs = new Map<string, Float32Array | Int32Array>();
  for (const [name, { shape, type }] of wanted) {
    const width = sizeOf(shape) / batch;
    const values = given[name];
    expect(values !== undefined || name === "weights", `input ${name} was not given`);
    if (values !== undefined && rows === batch) {
      inputs.set(name, values.subarray(from * width, (from + rows) * width));
      continue;
    }
    const filled = type === "int32" ? new Int32Array(batch * width) : new Float32Array(batch * width);
    if (values === undefined) filled.fill(1, 0, rows * width);
    else filled.set(values.subarray(from * width, (from + rows) * width));
    inputs.set(name, filled);
  }
  return { inputs, rows, rest: all - from - rows };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function found<Value>(map: ReadonlyMap<number, Value>, length: number): Value {
  const value = map.get(length);
  expect(value !== undefined, `the program builds no graph for length ${length}`);
  return value;
}
