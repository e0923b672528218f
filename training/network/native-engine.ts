/**
 * The graph on libtensorflow (tfjs-node, tfjs-node-gpu): forward, backward and optimizer are one compiled
 * graph with the weights as its variables, and a step is one call. The binding loads graphs from a folder
 * only, so the graph is written to one and read back at once.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@tensorflow/tfjs-core";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { TensorFlow } from "../runtime/backend.ts";
import { differentiate, reachable } from "./differentiate.ts";
import type { Engine, EngineOptions, FilledInputs, WeightParts } from "./network-engine.ts";
import { initialValue, inputsOf, type BuiltGraph } from "./initial.ts";
import { emitAdam, type Variables } from "./native-adam.ts";
import { Emitter } from "./native-emit.ts";
import { float, int } from "./native-op.ts";
import { mix } from "../../numeric/mix.ts";
import { type Node } from "./node.ts";
import { tag, TensorFlowGraph } from "./tensorflow-graph.ts";
import { correctedRate } from "./typed-adam.ts";
import { takeGraph, type LoadedGraph } from "./loaded-graph.ts";
import { expect, sizeOf, type Shape } from "./shape.ts";

interface InputInfo {
  readonly name: string;
}

/** What the binding's backend has beyond TensorFlow.js's own. */
interface SessionBackend {
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(
    id: number,
    inputs: readonly Tensor[],
    infos: readonly InputInfo[],
    outputs: readonly string[],
  ): Tensor[];
  deleteSavedModel(id: number): void;
}

function isSessionBackend(backend: object): backend is SessionBackend {
  return "loadSavedModelMetaGraph" in backend && "runSavedModel" in backend && "deleteSavedModel" in backend;
}

/** The backend that runs whole graphs, or null where TensorFlow.js has none. */
export function sessionBackend(tf: TensorFlow): SessionBackend | null {
  const backend: object = tf.backend();
  return isSessionBackend(backend) ? backend : null;
}

const parts = ["value", "mean", "square"] as const;

/** One placeholder to feed. */
interface Feed {
  readonly name: string;
  readonly shape: Shape;
  readonly type: "float32" | "int32";
}

interface Call {
  readonly feeds: readonly Feed[];
  readonly output: string;
}

const seedFeed: Feed = { name: "seed", shape: [1], type: "int32" };
const stepFeed: Feed = { name: "step", shape: [1], type: "int32" };
const rateFeed: Feed = { name: "rate", shape: [], type: "float32" };
const alphaFeed: Feed = { name: "alpha", shape: [], type: "float32" };

/** A part of a weight as a variable of the graph: read at `vN_out`, written through its feed. */
interface Slot {
  readonly weight: string;
  readonly part: keyof WeightParts;
  readonly feed: Feed;
}

export function nativeEngine(
  tf: TensorFlow,
  session: SessionBackend,
  options: EngineOptions,
): Outcome<Engine> {
  const { graphs, weights, seed } = options;
  const writer = new TensorFlowGraph();
  for (const feed of [seedFeed, stepFeed, rateFeed, alphaFeed]) placeholder(writer, feed);
  const { slots, variables, written } = emitVariables(writer, weights);
  const training = new Map<number, Call>();
  const scoring = new Map<number, Call>();
  for (const graph of graphs) {
    training.set(graph.length, emitTraining(writer, graph, variables, options));
    scoring.set(graph.length, emitScoring(writer, graph, variables));
  }
  const loaded = load(session, writer);
  if (!loaded.ok) return loaded;
  const calls = { training, scoring, written };
  const engine = new NativeEngine(tf, session, loaded.value, slots, calls, seed);
  engine.write(
    new Map(
      weights.map((plan) => {
        const zeros = new Float32Array(sizeOf(plan.shape));
        return [plan.name, { value: initialValue(plan, seed), mean: zeros, square: zeros }];
      }),
    ),
  );
  return accept(engine);
}

/** What the loaded graph can be asked for. */
interface Calls {
  /** By length. */
  readonly training: ReadonlyMap<number, Call>;
  readonly scoring: ReadonlyMap<number, Call>;
  /** Writes every slot. */
  readonly written: Call;
}

class NativeEngine implements Engine {
  readonly #tf: TensorFlow;
  readonly #session: SessionBackend;
  readonly #loaded: LoadedGraph;
  readonly #slots: readonly Slot[];
  readonly #calls: Calls;
  readonly #mixedSeed: Int32Array;
  #open = true;

  constructor(
    tf: TensorFlow,
    session: SessionBackend,
    loaded: LoadedGraph,
    slots: readonly Slot[],
    calls: Calls,
    seed: number,
  ) {
    this.#tf = tf;
    this.#session = session;
    this.#loaded = loaded;
    this.#slots = slots;
    this.#calls = calls;
    this.#mixedSeed = Int32Array.of(mix(seed));
  }

  step(length: number, inputs: FilledInputs, rate: number, step: number): number {
    const loss = this.#run(found(this.#calls.training, length), (feed) => {
      if (feed === seedFeed) return this.#mixedSeed;
      if (feed === stepFeed) return Int32Array.of(step);
      if (feed === rateFeed) return Float32Array.of(rate);
      if (feed === alphaFeed) return Float32Array.of(correctedRate(rate, step));
      return given(inputs, feed);
    });
    const value = loss.dataSync<"float32">()[0] ?? NaN;
    loss.dispose();
    return value;
  }

  score(length: number, inputs: FilledInputs): Float32Array {
    const result = this.#run(found(this.#calls.scoring, length), (feed) => given(inputs, feed));
    const values = result.dataSync<"float32">();
    result.dispose();
    return Float32Array.from(values);
  }

  read(): ReadonlyMap<string, WeightParts> {
    const outputs = this.#slots.map((_, index) => `v${index}_out:0`);
    const results = this.#session.runSavedModel(this.#loaded.id, [], [], outputs);
    const read = new Map<string, Record<keyof WeightParts, Float32Array>>();
    for (const [index, { weight, part }] of this.#slots.entries()) {
      const values = results[index]?.dataSync<"float32">();
      expect(values !== undefined, `weight ${weight} was not read`);
      const one = read.get(weight) ?? { value: values, mean: values, square: values };
      one[part] = Float32Array.from(values);
      read.set(weight, one);
    }
    this.#tf.dispose(results);
    return read;
  }

  write(from: ReadonlyMap<string, WeightParts>): void {
    const values = new Map(this.#slots.map(({ weight, part, feed }) => [feed, from.get(weight)?.[part]]));
    this.#run(this.#calls.written, (feed) => {
      const value = feed === stepFeed ? Int32Array.of(0) : values.get(feed);
      expect(value !== undefined, `no value was given for ${feed.name}`);
      return value;
    }).dispose();
  }

  dispose(): void {
    if (this.#open) this.#loaded.release();
    this.#open = false;
  }

  #run({ feeds, output }: Call, valueOf: (feed: Feed) => Float32Array | Int32Array): Tensor {
    const tensors = feeds.map((feed) =>
      this.#tf.tensor(toBeCopied(valueOf(feed)), [...feed.shape], feed.type),
    );
    const infos = feeds.map(({ name }) => ({ name: `${name}:0` }));
    const [result] = this.#session.runSavedModel(this.#loaded.id, tensors, infos, [`${output}:0`]);
    for (const tensor of tensors) tensor.dispose();
    expect(result !== undefined, "a graph gave no result");
    return result;
  }
}

/**
 * The same values where libtensorflow copies them at once. What lies at an address that it may compute on (a multiple of 64)
 * the binding hands over as it is: a variable then keeps JavaScript's own memory, and one of TensorFlow's threads gives it
 * back to V8 at some later step, which V8 takes of its own thread only: "free(): invalid pointer", now and then.
 */
function toBeCopied(values: Float32Array | Int32Array): Float32Array | Int32Array {
  const apart = values.BYTES_PER_ELEMENT;
  const memory = new ArrayBuffer(apart + values.byteLength);
  const copy =
    values instanceof Float32Array
      ? new Float32Array(memory, apart, values.length)
      : new Int32Array(memory, apart, values.length);
  copy.set(values);
  return copy;
}

function given(inputs: FilledInputs, { name }: Feed): Float32Array | Int32Array {
  const values = inputs.get(name.slice(name.indexOf("/") + 1));
  expect(values !== undefined, `input ${name} was not given`);
  return values;
}

/** A variable for each part of each weight, and the call that writes them all. */
function emitVariables(
  writer: TensorFlowGraph,
  weights: EngineOptions["weights"],
): {
  readonly variables: ReadonlyMap<string, Variables>;
  readonly slots: readonly Slot[];
  readonly written: Call;
} {
  const variables = new Map<string, Variables>();
  const slots: Slot[] = [];
  const assigned: string[] = [];
  for (const { name: weight, shape } of weights) {
    const made = { value: "", mean: "", square: "" };
    for (const part of parts) {
      const name = `v${slots.length}`;
      const feed: Feed = { name: `${name}_in`, shape, type: "float32" };
      made[part] = writer.op(
        "VarHandleOp",
        [],
        { dtype: float, shape: { shape }, shared_name: { text: name }, container: { text: "" } },
        { name },
      );
      placeholder(writer, feed);
      assigned.push(writer.op("AssignVariableOp", [name, feed.name], { dtype: float }));
      writer.op("ReadVariableOp", [name], { dtype: float }, { name: `${name}_out` });
      slots.push({ weight, part, feed });
    }
    variables.set(weight, made);
  }
  const output = writer.op("Identity", [stepFeed.name], { T: int }, { name: "written", after: assigned });
  return { variables, slots, written: { feeds: [...slots.map(({ feed }) => feed), stepFeed], output } };
}

function emitTraining(
  writer: TensorFlowGraph,
  { graph, built, length }: BuiltGraph,
  variables: ReadonlyMap<string, Variables>,
  { optimizer }: EngineOptions,
): Call {
  const gradients = differentiate(graph, built.loss);
  const feeds = feedsFor(writer, graph.nodes, `train${length}`);
  const emitter = new Emitter({
    ...passOf(writer, feeds, variables),
    random: { seed: seedFeed.name, step: stepFeed.name },
  });
  const loss = emitter.of(built.loss);
  const updates = gradients.map(({ name, weight, gradient }) => ({
    name,
    shape: weight.shape,
    gradient,
    variables: variablesOf(variables, name),
  }));
  const after = emitAdam(writer, emitter, updates, optimizer, rateFeed.name, alphaFeed.name);
  const output = writer.op("Identity", [loss], { T: float }, { name: `loss${length}`, after });
  return { feeds: [...feeds.values(), seedFeed, stepFeed, rateFeed, alphaFeed], output };
}

function emitScoring(
  writer: TensorFlowGraph,
  { built, length }: BuiltGraph,
  variables: ReadonlyMap<string, Variables>,
): Call {
  const feeds = feedsFor(writer, reachable([built.score]), `score${length}`);
  const emitter = new Emitter({ ...passOf(writer, feeds, variables), random: null });
  const output = writer.op("Identity", [emitter.of(built.score)], { T: float }, { name: `scored${length}` });
  return { feeds: [...feeds.values()], output };
}

/** A placeholder, named `prefix/input`, for every input among the nodes. */
function feedsFor(writer: TensorFlowGraph, nodes: Iterable<Node>, prefix: string): ReadonlyMap<string, Feed> {
  const feeds = new Map<string, Feed>();
  for (const [name, { shape, type }] of inputsOf(nodes)) {
    const feed = { name: `${prefix}/${name}`, shape, type };
    placeholder(writer, feed);
    feeds.set(name, feed);
  }
  return feeds;
}

function passOf(
  writer: TensorFlowGraph,
  feeds: ReadonlyMap<string, Feed>,
  variables: ReadonlyMap<string, Variables>,
) {
  return {
    graph: writer,
    variable: (name: string) => variablesOf(variables, name).value,
    input: ({ operation }: Node): string => {
      const feed = operation.kind === "input" ? feeds.get(operation.name) : undefined;
      expect(feed !== undefined, `${operation.kind} is no input`);
      return feed.name;
    },
  };
}

function placeholder(writer: TensorFlowGraph, { name, shape, type }: Feed): void {
  writer.op("Placeholder", [], { dtype: { type }, shape: { shape } }, { name });
}

function variablesOf(variables: ReadonlyMap<string, Variables>, name: string): Variables {
  const found = variables.get(name);
  expect(found !== undefined, `no weight is called ${name}`);
  return found;
}

function load(session: SessionBackend, writer: TensorFlowGraph): Outcome<LoadedGraph> {
  try {
    return accept(
      takeGraph(writer.key(), {
        load: () => loadFrom(session, writer.encode()),
        unload: (id) => session.deleteSavedModel(id),
      }),
    );
  } catch (error) {
    const why = errorSentence(error);
    return refuse("unavailable", `TensorFlow did not take the network's graph by way of ${tmpdir()}: ${why}`);
  }
}

/** TensorFlow takes a graph from a folder alone. */
function loadFrom(session: SessionBackend, bytes: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-network-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), bytes);
    return session.loadSavedModelMetaGraph(folder, tag);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function found<Value>(map: ReadonlyMap<number, Value>, length: number): Value {
  const value = map.get(length);
  expect(value !== undefined, `no graph was built for length ${length}`);
  return value;
}
