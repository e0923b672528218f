/** How a network learns. The rule itself is in `typed-adam.ts` and, as TensorFlow operations, in `native-adam.ts`. */

/** Adam (Kingma and Ba 2015): beta1 0.9, beta2 0.999, epsilon 1e-7 as in Keras. */
export interface AdamOptions {
  readonly kind: "adam";
  /**
   * False (the default): a table that is only gathered from moves only in the rows a batch touches, and so
   * do its moments (TensorFlow's LazyAdam). True: every row's moments decay in every step.
   */
  readonly dense?: boolean;
  /** Decoupled decay per step and unit of rate (Loshchilov and Hutter 2019) of weights with two axes or more. */
  readonly decay?: number;
  /** Largest norm of the whole gradient. */
  readonly clip?: number;
}
