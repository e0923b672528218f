/** A hundred requesters with ten sweeps each, and every trial of them queued: a million places in the real queue. */
import { apply } from "../../coordinator/core/apply.ts";
import { fingerprintText, trialKey, warmStartText } from "../../coordinator/state/trial-key.ts";
import { mustGet, type State } from "../../coordinator/state/state.ts";
import type { RandomStream } from "../../search/space/random-stream.ts";
import { sweepId, trialId } from "../../protocol/id.ts";
import type { Requirement } from "../../protocol/requirement.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { models, task } from "./fleet.ts";

export interface WorkloadOptions {
  readonly requesters: number;
  readonly trials: number;
  /** Every so many requesters has a budget that runs out on the way. */
  readonly poorEvery: number;
  readonly poorMilliTokens: number;
}

const sweepsEach = 10;
const plenty = 1e12;

/** What the sweeps of a requester need, in turn; the first of them anything can run. */
const needs: readonly Requirement[] = [
  {},
  { gpu: { count: 1 } },
  {},
  { gpu: { vendor: "NVIDIA", count: 1, vramGiB: 16 } },
  { cores: 16 },
  {},
  { os: ["linux"] },
  { cores: 8, os: ["darwin"] },
  {},
  { gpu: { vendor: "NVIDIA", count: 1, computeCapability: 8.9 }, cores: 32 },
];

export function requesterName(index: number): string {
  return `requester-${index + 1}`;
}

export function weightOf(index: number): number {
  return 1 + (index % 5);
}

export function openAccounts(state: State, options: WorkloadOptions): void {
  for (let index = 0; index < options.requesters; index++) {
    const requester = requesterName(index);
    apply(state, { kind: "AccountOpened", requester, weight: weightOf(index) }, 0);
    const amount = isPoor(index, options) ? options.poorMilliTokens : plenty;
    apply(state, { kind: "TokensGranted", requester, amount, by: "bench", note: "" }, 0);
  }
}

export function isPoor(index: number, { poorEvery }: WorkloadOptions): boolean {
  return index % poorEvery === poorEvery - 1;
}

/** Submits the sweeps and proposes every trial of them. */
export function queueTrials(state: State, options: WorkloadOptions, random: RandomStream): void {
  const perSweep = Math.ceil(options.trials / options.requesters / sweepsEach);
  for (let index = 0; index < options.requesters; index++) {
    for (let sweep = 0; sweep < sweepsEach; sweep++) {
      const id = sweepId(state.meta.nextSweep);
      submit(state, requesterName(index), sweep, perSweep);
      propose(state, id, perSweep, random);
    }
  }
}

function submit(state: State, requester: string, index: number, total: number): void {
  const sweep = sweepId(state.meta.nextSweep);
  const spec = sweepSpecSchema.parse({
    name: `sweep-${index}`,
    task,
    dataset: null,
    objective: { metric: "accuracy", goal: "maximize" },
    search: { method: "random", trials: total, seed: index },
    stopping: { policy: "none", max: 1 },
    models: [
      {
        model: models[index % models.length],
        space: {
          lr: { distribution: "log-uniform", min: 1e-5, max: 1 },
          width: { distribution: "int", min: 8, max: 512 },
        },
      },
    ],
    needs: needs[index % needs.length],
    cap: null,
    weight: 1 + (index % 3),
    priority: 0,
    trialSeed: 1,
    codeVersion: "bench",
    reuse: false,
    register: null,
  });
  const sameness = { fingerprint: fingerprintText(spec), warmStart: warmStartText(spec) };
  apply(state, { kind: "SweepSubmitted", sweep, requester, spec, total, ...sameness }, 0);
}

function propose(state: State, sweep: string, count: number, random: RandomStream): void {
  const { fingerprint, spec } = mustGet(state.sweeps, sweep, "sweep");
  const model = spec.models[0]?.model ?? "";
  for (let number = 1; number <= count; number++) {
    const params = { lr: 10 ** (-5 * random.next()), width: 8 + Math.floor(505 * random.next()) };
    apply(
      state,
      {
        kind: "TrialProposed",
        trial: trialId(sweep, number),
        sweep,
        number,
        model,
        params,
        key: trialKey(fingerprint, model, params),
        draws: number,
        target: 1,
      },
      0,
    );
  }
}
