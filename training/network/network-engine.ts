/** What computes a network: one implementation per way of running a graph. `network.ts` checks what comes in. */
import type { BuiltGraph, WeightPlan } from "./initial.ts";
import type { AdamOptions } from "./adam-options.ts";

export interface EngineOptions {
  readonly graphs: readonly BuiltGraph[];
  readonly weights: readonly WeightPlan[];
  readonly seed: number;
  readonly optimizer: AdamOptions;
}

/** By name, each as long as the graph of that length says. */
export type FilledInputs = ReadonlyMap<string, Float32Array | Int32Array>;

/** A weight and Adam's moments of it. */
export interface WeightParts {
  readonly value: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

export interface Engine {
  /** The loss before the step. */
  step(length: number, inputs: FilledInputs, rate: number, step: number): number;
  /** All of the score node's numbers. */
  score(length: number, inputs: FilledInputs): Float32Array;
  /** Copies. */
  read(): ReadonlyMap<string, WeightParts>;
  write(parts: ReadonlyMap<string, WeightParts>): void;
  dispose(): void;
}
