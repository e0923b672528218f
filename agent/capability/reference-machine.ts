/**
 * The reference machine: what one token per second means. Figures are the probe's own, on two cores of an
 * AMD EPYC 9004 (Zen 4, virtual, one trial running, Node 24), each model on the backend fastest there.
 * Changing one changes the price of all work of that kind; results already paid for keep theirs.
 */
import type { Params } from "../../protocol/value.ts";

export interface ReferenceKind {
  /** `<task>/<model>`. */
  readonly kind: string;
  readonly params: Params;
  readonly rowsPerEpoch: number;
  /** Mean log loss of the workload's first epoch: the same on every backend that computes rightly. */
  readonly loss: number;
  readonly examplesPerSecond: number;
}

export const referenceKinds: readonly ReferenceKind[] = [
  {
    kind: "text-classification/linear",
    params: {},
    rowsPerEpoch: 512,
    loss: 1.0638,
    examplesPerSecond: 500_000,
  },
  {
    kind: "text-classification/fasttext",
    params: { lr: 8, dim: 32 },
    rowsPerEpoch: 512,
    loss: 1.0516,
    examplesPerSecond: 140_000,
  },
  {
    kind: "text-classification/textcnn",
    params: { rowsPerEpoch: 512, batch: 16, lr: 0.01 },
    rowsPerEpoch: 512,
    loss: 1.3044,
    examplesPerSecond: 10_000,
  },
];
