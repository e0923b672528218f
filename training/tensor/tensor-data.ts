/** A tensor's values as they travel between engines and checkpoints: plain arrays that belong to no library. */
export interface TensorData {
  /** Rows before columns; the product of the sizes is the length of `data`. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}
