/**
 * Thirty sweeps over work of made-up costs: models on more and less data, scripts that start fast and slow, every method, every way
 * to stop, machines of three speeds with probes that are off. Made up, not measured: what an estimate has to cope with, each by name.
 */
import { sweepSpecSchema, type SweepSpec } from "../../protocol/sweep.ts";
import type { Params } from "../../protocol/value.ts";

export interface Work {
  readonly name: string;
  readonly rows: number;
  /** On the reference machine, ms: until training begins, the first time on an agent in addition, and an epoch. */
  readonly startMs: number;
  readonly coldMs: number;
  readonly epochMs: (params: Params) => number;
  /** True for models of trialmesh, whose runner says when training begins. */
  readonly saysBegin: boolean;
}

export interface BenchSweep {
  readonly work: Work;
  readonly spec: SweepSpec;
}

const even = (ms: number) => (params: Params) => ms * (0.6 + 0.8 * Number(params["lr"]));
const wide = (ms: number) => (params: Params) => ms * 8 ** (Number(params["lr"]) - 0.5);

/** Of a family the data differ, and the history of one is that of the others. */
const works: readonly Work[] = [
  { name: "linear", rows: 2_000, startMs: 150, coldMs: 900, epochMs: even(40), saysBegin: true },
  { name: "linear", rows: 16_000, startMs: 400, coldMs: 900, epochMs: even(320), saysBegin: true },
  { name: "network", rows: 2_000, startMs: 500, coldMs: 2_500, epochMs: wide(600), saysBegin: true },
  { name: "network", rows: 8_000, startMs: 900, coldMs: 2_500, epochMs: wide(2_400), saysBegin: true },
  { name: "script", rows: 1, startMs: 80, coldMs: 0, epochMs: even(900), saysBegin: false },
  { name: "slow-script", rows: 1, startMs: 6_000, coldMs: 3_000, epochMs: even(150), saysBegin: false },
];

const plans = [
  { method: "random", trials: 12, stopping: { policy: "none", max: 4 } },
  { method: "tpe", trials: 18, stopping: { policy: "asha", min: 1, max: 9, eta: 3 } },
  { method: "sobol", trials: 16, stopping: { policy: "hyperband", min: 1, max: 9, eta: 3 } },
  { method: "auto", trials: 10, stopping: { policy: "median", max: 6, interval: 1, minTrials: 3 } },
  {
    method: "nsga-ii",
    trials: 14,
    stopping: { policy: "patience", max: 8, interval: 1, patience: 2, minDelta: 0 },
  },
] as const;

export const sweeps: readonly BenchSweep[] = works.flatMap((work, at) =>
  plans.map(({ method, stopping, trials }, index) => ({
    work,
    spec: sweepSpecSchema.parse({
      name: `${work.name}-${method}`,
      task: "bench",
      dataset:
        work.rows === 1
          ? null
          : {
              name: "rows",
              digest: String(at).repeat(64),
              bytes: work.rows,
              rows: { train: work.rows, validation: 1, test: 1 },
            },
      objective: { metric: "score", goal: "maximize" },
      search: { method, trials, seed: 10 * at + index },
      stopping,
      models: [
        {
          model: work.name,
          space: {
            lr: { distribution: "uniform", min: 0, max: 1 },
            width: { distribution: "int", min: 1, max: 64 },
          },
        },
      ],
      needs: {},
      cap: null,
      trialSeed: index,
      codeVersion: "bench",
      reuse: true,
      register: null,
    }),
  })),
);
