/**
 * What a trainable model declares about itself, and what a trainer can do. Declarations are plain
 * data: reading one loads no engine, so the command line can check a sweep file against it.
 */
import type { BackendName } from "../../protocol/capability.ts";
import type { BuiltDataset } from "../../protocol/dataset.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Space } from "../../protocol/space.ts";
import type { Params, Value } from "../../protocol/value.ts";
import type { Dataset } from "../../data/row/dataset-rows.ts";
import type { Program } from "../network/graph.ts";
import type { OpenedBackend } from "../runtime/backend.ts";

export type ParameterSpec =
  | {
      readonly type: "float" | "int";
      readonly min: number;
      readonly max: number;
      readonly default: number;
      readonly about: string;
    }
  | {
      readonly type: "choice";
      readonly choices: readonly Value[];
      readonly default: Value;
      readonly about: string;
    };

export type Metrics = Readonly<Record<string, number>>;

export interface Prediction {
  readonly label: string;
  readonly probability: number;
}

interface Disposable {
  /** Frees what the garbage collector cannot. */
  dispose(): void;
}

export interface TextPredictor extends Disposable {
  readonly kind: "text";
  readonly labels: readonly string[];
  /** For each text every label, most probable first. */
  predict(texts: readonly string[]): readonly (readonly Prediction[])[];
  /** [texts, labels] in the order of `labels`, row after row; a view that the next call may overwrite. */
  probabilities(texts: readonly string[]): Float32Array;
}

export interface TablePredictor extends Disposable {
  readonly kind: "table";
  /** Names of the features it was trained on, in their order. */
  readonly features: readonly string[];
  /** Null for a regression. */
  readonly labels: readonly string[] | null;
  /** features [rows, features] → [rows, labels] probabilities, or [rows] numbers. */
  predict(features: Float32Array): Float32Array;
}

/** Of a model that computes nothing. */
export interface NoPredictor extends Disposable {
  readonly kind: "none";
}

export type Predictor = TextPredictor | TablePredictor | NoPredictor;

export interface Restored {
  /** False when the checkpoint was written on another backend, which rounds otherwise: the trial is approximate. */
  readonly exact: boolean;
}

export interface Trainer {
  /** What predicts with the weights as they are now; its `dispose` is the trainer's. */
  readonly predictor: Predictor;
  /** Epochs done so far; what `restore` and `trainEpoch` move. */
  readonly epoch: number;
  /**
   * One epoch; `loss` is its mean log loss in nats, NaN when it failed: the training diverged, or for the reason in
   * `why`, and would do so again anywhere.
   */
  trainEpoch(): Promise<{ readonly loss: number; readonly why?: string }>;
  evaluate(split: "validation" | "test"): Metrics;
  /**
   * True once early patience has run out: the weights are those of the best epoch again, and further epochs
   * cost and change nothing. Left out by trainers without patience.
   */
  readonly settled?: boolean;
  /** What it says of a dataset version that it has built; absent in trainers that build none. */
  readonly built?: BuiltDataset | undefined;
  /** Checkpoint bytes: enough to go on bit-identically on the same backend, and to predict. */
  save(): Uint8Array;
  restore(bytes: Uint8Array): Outcome<Restored>;
  dispose(): void;
}

export interface TrainerOptions {
  readonly params: Params;
  /** Seeds initial weights, order of examples and dropout. */
  readonly seed: number;
  /** Null only for tasks that read no data. */
  readonly dataset: Dataset | null;
  readonly backend: OpenedBackend;
  /** The job's own surroundings; absent where nothing but training is done, as in a probe. */
  readonly job?: {
    /** Files of the artifacts it was given beside its dataset, by digest. */
    readonly parts: Readonly<Record<string, string>>;
    /** File of the sweep's dataset, for who reads it otherwise than as a dataset. */
    readonly datasetPath: string | null;
    /** File of what is expected of a dataset that it builds; absent where nothing is. */
    readonly expectationsPath?: string | undefined;
    /** Memory that the process may hold, in MiB. */
    readonly memoryMiB: number;
    /** A folder of its own that goes when it ends. */
    readonly workDir: string;
  };
}

/** The probe's fixed work for a model: it shows that gradients are right, and how fast they are. */
export interface ReferenceWork {
  readonly params: Params;
  readonly rowsPerEpoch: number;
  /** Mean log loss (or squared error) of the first epoch: the same on every backend that computes rightly. */
  readonly loss: number;
  /** Of the reference machine, two cores of an AMD EPYC 9004, on the backend fastest there: what one token per second means. */
  readonly examplesPerSecond: number;
}

/** What a saved network computes: its program without batches and rates. */
export interface SavedNetwork {
  readonly build: Program["build"];
  /** Of the longest row, as in the program's lengths; 0 where rows have none. */
  readonly length: number;
}

export interface ModelDeclaration {
  readonly task: string;
  readonly model: string;
  readonly about: string;
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  /** Backends that can run it; which one is a matter of measured speed. */
  readonly backends: readonly BackendName[];
  /** What kind of dataset it reads. */
  readonly data: Dataset["kind"] | "none";
  /** Null for what is not worth measuring: it costs the same everywhere. */
  readonly reference: ReferenceWork | null;
  readonly defaultSpace: Space;
  /** Names of what `evaluate` gives, the usual objective first. */
  readonly metrics: readonly string[];
  create(options: TrainerOptions): Outcome<Trainer>;
  /** A predictor from checkpoint bytes alone. */
  load(bytes: Uint8Array, backend: OpenedBackend): Outcome<Predictor>;
  /** Of networks: the graph of checkpoint bytes of theirs, for other runtimes. */
  readonly network?: (bytes: Uint8Array) => Outcome<SavedNetwork>;
}
