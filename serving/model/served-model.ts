/**
 * A registered version, loaded and ready to answer: what `predict`, the servers and the exports share. It takes rows as
 * people have them, before the data set's plan: the frozen transformation is part of it. Not how bytes are fetched.
 */
import type { Outcome } from "../../protocol/refusal.ts";
import type { InputRows } from "../transform/input-rows.ts";
import type { ProgramFace } from "./program-face.ts";
import type { NamedTensor, TensorDescription } from "./tensor.ts";

export type { InputRows };

/** One column of a row as people have it. */
export interface InputColumn {
  readonly name: string;
  readonly kind: "text" | "number" | "category";
  /** Whether a row may lack it; what stands for it then is the transformation's to say. */
  readonly optional: boolean;
}

/** What a model takes and gives: the schema that is shown, exported, and checked against what comes. */
export interface Signature {
  readonly inputs: readonly InputColumn[];
  /** Null where it gives a number. */
  readonly labels: readonly string[] | null;
  /** Name of the label's or target's column. */
  readonly target: string;
  /** Of a model that is asked by tensors of its own, where that is to be shown. */
  readonly tensors?: {
    readonly inputs: readonly TensorDescription[];
    readonly outputs: readonly TensorDescription[];
  };
}

export type Answers =
  /** [count, labels], row after row, in the order of the signature's labels. */
  | { readonly kind: "labels"; readonly probabilities: Float32Array }
  /** [count]. */
  | { readonly kind: "values"; readonly values: Float32Array };

/** Which version it is; what every answer carries. */
export interface VersionName {
  /** As registered. */
  readonly model: string;
  readonly version: number;
  /** Of the artifact. */
  readonly digest: string;
}

/** A model that is asked by tensors of its own names and shapes, as ONNX models are; by rows too, where they can be made of rows. */
export interface TensorFace {
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** What rows are answered with: "tensors" where its outputs are neither probabilities of labels nor one number a row; null where it takes no rows. */
  readonly rowAnswers: Answers["kind"] | "tensors" | null;
  /** Rows that fit the signature, as tensors. */
  ofRows(rows: InputRows): readonly NamedTensor[];
  /** Of tensors that fit its inputs; outputs in the order they are wanted in. */
  run(inputs: readonly NamedTensor[], outputs: readonly string[]): Promise<Outcome<readonly NamedTensor[]>>;
}

export interface ServedModel extends VersionName {
  /** What trained it, such as `linear` of `text-classification`. */
  readonly task: string;
  readonly algorithm: string;
  readonly signature: Signature;
  /**
   * Refuses with the row (from 1) and the column where something does not fit the signature. A text model with one input
   * column may be asked by `answerTexts`, which copies nothing.
   */
  answer(rows: InputRows): Outcome<Answers> | Promise<Outcome<Answers>>;
  /** Null where the signature is not one text column; gives null where the transformation leaves nothing of a text, which `answer` refuses. */
  readonly answerTexts: ((texts: readonly string[]) => Float32Array | null) | null;
  /** Left out of one that takes and gives rows and nothing else. */
  readonly tensors?: TensorFace;
  /** Left out of one that is answered here. */
  readonly program?: ProgramFace;
  /** How many requests it answers at once that are no rows; one where it is left out. */
  readonly wholeWidth?: number;
  dispose(): void;
}
