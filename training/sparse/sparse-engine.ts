/**
 * A sparse model at work: its tensors in a workspace, its kernel over examples. What is computed is the kernel's
 * matter; order of examples, rates and checkpoints are the trainer's (`sparse-classifier.ts`).
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { NgramRows } from "./ngram.ts";
import { doubleBytes } from "./example-code.ts";
import { learnExamples, type LearnCall } from "./learn-examples.ts";
import { LearnerPool } from "./learner-pool.ts";
import { numberBytes, vectorLanes } from "./wasm-code.ts";
import { instantiate, type WasmExports, type WasmModule } from "./wasm-module.ts";
import { bytesOf, Workspace } from "./workspace.ts";

/** Examples scored at a time, so that a long list needs no large memory. */
const scoreExamples = 1024;

export interface TensorPlan {
  readonly name: string;
  readonly rows: number;
  /** Numbers in a row, as checkpoints hold it; in memory more than one are filled up with zeros to whole vectors. */
  readonly width: number;
  /** Writes the first values, into zeros, `stride` numbers a row. */
  readonly fill?: (values: Float32Array, stride: number) => void;
}

export interface KernelPlan {
  /**
   * Exports, of addresses and counts, then `tensors` in their order, then `numbers`:
   * `learn(order, count, offsets, rows, truths, rates, labelWeights, labels, scratch, ...)` learns the examples
   * `order[0 .. count)` at `rates[0 .. count)`; gives the sum of their log losses before each step, in nats.
   * `score(count, offsets, rows, out, labels, scratch, ...)` writes [count, labels] probabilities, as doubles.
   */
  readonly module: WasmModule;
  readonly tensors: readonly TensorPlan[];
  readonly numbers: readonly number[];
  readonly scratchBytes: number;
  /** Brings what only `score` reads up to date with the weights; called where they have changed since. */
  readonly beforeScore?: (values: (tensor: string) => Float32Array) => void;
}

export interface PlanOptions {
  readonly params: Params;
  readonly seed: number;
  /** Rows of the n-gram table. */
  readonly rows: number;
  readonly labels: number;
  /** Null where only a checkpoint is to be read. */
  readonly train: NgramRows | null;
  /** Whether several threads are to learn at once. */
  readonly shared: boolean;
}

export const vectorsOf = (width: number): number => Math.ceil(width / vectorLanes);
/** A row of one number stays one number. */
const strideOf = (width: number): number => (width === 1 ? 1 : vectorsOf(width) * vectorLanes);

/** Where the training data lies; `scratch` of each further thread. */
type Training = Omit<LearnCall, "scratch" | "examples"> & { readonly scratches: readonly number[] };

export class SparseEngine {
  readonly #plan: KernelPlan;
  readonly #labels: number;
  readonly #workspace: Workspace;
  readonly #kernel: WasmExports;
  readonly #addresses: readonly number[];
  readonly #scratch: number;
  readonly #threads: number;
  #training: Training | null = null;
  #pool: LearnerPool | null = null;
  #changed = true;

  private constructor(plan: KernelPlan, labels: number, workspace: Workspace, threads: number) {
    this.#threads = threads;
    this.#plan = plan;
    this.#labels = labels;
    this.#workspace = workspace;
    this.#kernel = instantiate(plan.module, workspace.memory);
    this.#addresses = plan.tensors.map(({ rows, width }) =>
      workspace.allocate(rows * strideOf(width) * numberBytes),
    );
    this.#scratch = workspace.allocate(plan.scratchBytes);
    plan.tensors.forEach(({ fill, width }, at) => fill?.(this.#values(at), strideOf(width)));
  }

  /** `threads` learn at once; more than one need a plan for shared memory, and no two runs are the same then. */
  static create(plan: KernelPlan, labels: number, threads = 1): Outcome<SparseEngine> {
    const sizes = plan.tensors.map(({ rows, width }) => rows * strideOf(width) * numberBytes);
    const workspace = Workspace.create(bytesOf(...sizes, plan.scratchBytes), threads > 1);
    return workspace.ok ? accept(new SparseEngine(plan, labels, workspace.value, threads)) : workspace;
  }

  /** Learns the examples of `data` in the given order, each at its own rate; gives the mean log loss. */
  async learn(
    data: NgramRows,
    labelWeights: Float32Array,
    order: Int32Array,
    rates: Float32Array,
  ): Promise<number> {
    const workspace = this.#workspace;
    const { scratches, ...training } = (this.#training ??= this.#place(data, labelWeights, order.length));
    this.#changed = true;
    workspace.ints(training.order, order.length).set(order);
    workspace.floats(training.rates, rates.length).set(rates);
    workspace.ints(training.taken, 1).fill(0);
    const call = (scratch: number): LearnCall => ({ ...training, examples: order.length, scratch });
    const others = scratches.length === 0 ? Promise.resolve(0) : this.#others(scratches.map(call));
    const own = learnExamples(this.#kernel, workspace.memory, call(this.#scratch));
    return (own + (await others)) / order.length;
  }

  /** Ends the threads. */
  dispose(): void {
    this.#pool?.end();
    this.#pool = null;
  }

  /** Gives the label probabilities of each example in turn, from `[at, at + labels)` of an array. */
  score(data: NgramRows, each: (probabilities: Float64Array, at: number, example: number) => void): void {
    const workspace = this.#workspace;
    const run = this.#kernel["score"];
    if (run === undefined) throw new Error("the kernel has no score");
    const examples = data.offsets.length - 1;
    if (this.#changed) this.#plan.beforeScore?.((name) => this.#values(this.#indexOf(name)));
    this.#changed = false;
    workspace.during(() => {
      const offsets = workspace.put(data.offsets);
      const rows = workspace.put(data.rows);
      const out = workspace.allocate(Math.min(scoreExamples, examples) * this.#labels * doubleBytes);
      for (let from = 0; from < examples; from += scoreExamples) {
        const count = Math.min(scoreExamples, examples - from);
        run(
          count,
          offsets + from * numberBytes,
          rows,
          out,
          this.#labels,
          this.#scratch,
          ...this.#addresses,
          ...this.#plan.numbers,
        );
        const probabilities = workspace.doubles(out, count * this.#labels);
        for (let at = 0; at < count; at++) each(probabilities, at * this.#labels, from + at);
      }
    });
  }

  /** Weights and optimizer state as they are now: copies. */
  tensors(): ReadonlyMap<string, TensorData> {
    return new Map(
      this.#plan.tensors.map(({ name, rows, width }, at) => [
        name,
        { shape: [rows, width], data: withStride(this.#values(at), rows, strideOf(width), width) },
      ]),
    );
  }

  /** Takes saved tensors of the same names and sizes. */
  restore(saved: ReadonlyMap<string, TensorData>): Outcome<null> {
    this.#changed = true;
    for (const [at, { name, rows, width }] of this.#plan.tensors.entries()) {
      const data = saved.get(name)?.data;
      if (!(data instanceof Float32Array) || data.length !== rows * width) {
        return refuse(
          "invalid",
          `the checkpoint's tensor ${name} does not fit this model; it is of other parameters or data`,
        );
      }
      this.#values(at).set(withStride(data, rows, width, strideOf(width)));
    }
    return accept(null);
  }

  #others(calls: readonly LearnCall[]): Promise<number> {
    const { module } = this.#plan;
    const { memory } = this.#workspace;
    this.#pool ??= new LearnerPool(calls.length, module, memory);
    return this.#pool.learn(calls);
  }

  #place(data: NgramRows, labelWeights: Float32Array, examples: number): Training {
    const workspace = this.#workspace;
    return {
      taken: workspace.allocate(numberBytes),
      order: workspace.allocate(examples * numberBytes),
      rates: workspace.allocate(examples * numberBytes),
      data: [data.offsets, data.rows, data.labels].map((numbers) => workspace.put(numbers)),
      labelWeights: workspace.put(labelWeights),
      labels: this.#labels,
      rest: [...this.#addresses, ...this.#plan.numbers],
      scratches: Array.from({ length: this.#threads - 1 }, () => workspace.allocate(this.#plan.scratchBytes)),
    };
  }

  #indexOf(name: string): number {
    return this.#plan.tensors.findIndex((tensor) => tensor.name === name);
  }

  #values(at: number): Float32Array {
    const tensor = this.#plan.tensors[at];
    const address = this.#addresses[at];
    if (tensor === undefined || address === undefined) throw new Error(`there is no tensor ${at}`);
    return this.#workspace.floats(address, tensor.rows * strideOf(tensor.width));
  }
}

/** A copy of rows of `from` numbers as rows of `to` numbers: cut off, or filled up with zeros. */
function withStride(values: Float32Array, rows: number, from: number, to: number): Float32Array {
  if (from === to) return values.slice();
  const out = new Float32Array(rows * to);
  const kept = Math.min(from, to);
  for (let row = 0; row < rows; row++)
    for (let at = 0; at < kept; at++) out[row * to + at] = values[row * from + at] ?? 0;
  return out;
}
