/**
 * A tensor as it goes from a caller to an engine and back: a name, a data type, a shape, and its elements as they lie in binary. What a
 * shape must be is the model's to say.
 */
import type { Datatype } from "./tensor-datatype.ts";

export interface TensorDescription {
  readonly name: string;
  readonly datatype: Datatype;
  /** −1 where any length will do, such as the number of rows. */
  readonly shape: readonly number[];
}

export interface NamedTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Little-endian, row after row; of BYTES the texts themselves. */
  readonly data: Uint8Array | readonly string[];
}

/** The product of a shape; 1 of a scalar's. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
