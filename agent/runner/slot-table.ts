/**
 * What of the machine each slot uses: its share of the cores as threads, and one of the GPUs. Numeric libraries read it from
 * the environment; it holds nobody to it.
 */

export interface Machine {
  /** Cores that trials may use together. */
  readonly cores: number;
  /** NVIDIA GPUs, numbered from 0. */
  readonly gpus: number;
}

/** OpenMP (PyTorch, scikit-learn), MKL, OpenBLAS, Apple's Accelerate, NumExpr, and TensorFlow within one operation. */
const threadVariables = [
  "OMP_NUM_THREADS",
  "MKL_NUM_THREADS",
  "OPENBLAS_NUM_THREADS",
  "VECLIB_MAXIMUM_THREADS",
  "NUMEXPR_NUM_THREADS",
  "TF_NUM_INTRAOP_THREADS",
];

export class SlotTable {
  readonly #users: number[];
  readonly #machine: Machine;

  constructor(slots: number, machine: Machine) {
    this.#users = Array.from({ length: Math.max(1, slots) }, () => 0);
    this.#machine = machine;
  }

  /** The slot that fewest use. */
  take(): number {
    let slot = 0;
    for (const [index, users] of this.#users.entries()) if (users < (this.#users[slot] ?? 0)) slot = index;
    this.#users[slot] = (this.#users[slot] ?? 0) + 1;
    return slot;
  }

  free(slot: number): void {
    this.#users[slot] = Math.max(0, (this.#users[slot] ?? 0) - 1);
  }

  environment(slot: number): Readonly<Record<string, string>> {
    const { cores, gpus } = this.#machine;
    const threads = String(Math.max(1, Math.floor(cores / this.#users.length)));
    return {
      ...Object.fromEntries(threadVariables.map((name) => [name, threads])),
      TF_NUM_INTEROP_THREADS: "1",
      ...(gpus > 0 ? { CUDA_VISIBLE_DEVICES: String(slot % gpus) } : {}),
    };
  }
}
