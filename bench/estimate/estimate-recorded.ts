/**
 * What the core of today says beforehand of each recorded sweep, from the attempts recorded before it alone, beside what it cost.
 * The past is replayed as the core keeps it; what the record would have answered is not, for no recorded sweep repeats another.
 */
import { decide, run } from "../../coordinator/core/decide.ts";
import { estimateSweep } from "../../coordinator/placement/estimate-sweep.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import { emptyState, type State } from "../../coordinator/state/state.ts";
import { withSample } from "../../coordinator/state/work-history.ts";
import { openPolicy } from "../../protocol/capability.ts";
import type { Recording } from "./recording.ts";

/** Any: the agent has been there since, and no lease is at stake. */
const at = 1_000_000;
const leaseMs = 15_000;

export interface RecordedLine {
  readonly name: string;
  readonly cost: number;
  readonly load: number;
  readonly low: number;
  readonly expected: number;
  readonly high: number;
  readonly inside: boolean;
  /** Expected by actual. */
  readonly ratio: number;
}

/** A sweep of whose models the core knows nothing at all has no line: nothing is said of it. */
export function estimateRecorded(recording: Recording): RecordedLine[] {
  const state = meshOf(recording);
  return recording.sweeps.flatMap(({ attempts, cost, load, spec }) => {
    const { expected, high, low, models } = estimateSweep(state, "ada", spec);
    for (const { sample, work } of attempts)
      state.works.set(work, withSample(state.works.get(work), work, sample));
    if (models.every(({ range }) => range === null)) return [];
    const inside = cost >= low && cost <= high;
    return [
      { name: spec.name, cost, load, low, expected, high, inside, ratio: expected / Math.max(1, cost) },
    ];
  });
}

/** The one agent that the sweeps ran on, with the rates its probe gave. */
function meshOf({ cores, cpuModel, rates, slots }: Recording): State {
  const state = emptyState();
  const size = { os: "linux", arch: "x64", cores, memGiB: 8, diskGiB: 50 };
  const host = { ...size, cpuModel, gpus: [], cpuFeatures: [] };
  const capability = { host, node: "24", backends: [], rates: [...rates], labels: {}, python: null };
  const register = { incarnation: "one", capability, policy: openPolicy(slots) };
  const input = { kind: "register", agent: "one", register } as const;
  const answer = run(state, decide(state, input, at, settingsFor(leaseMs)), at, []);
  if (answer?.ok !== true) throw new Error(answer === null ? "cut short" : answer.refusal.message);
  return state;
}
