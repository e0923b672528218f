/**
 * Events of what an attempt has kept and reached, with which epoch of its trial is the best. BEST-2: a trial counts by its best
 * epoch, and the checkpoint of that epoch is what is registered of it.
 */
import type { Digest } from "../../protocol/id.ts";
import type { Report } from "../../protocol/report.ts";
import type { EventOf } from "../format/event.ts";
import type { PackPlaces } from "../state/input.ts";
import { countsByBest, improves, keepsBestEpoch, scoreOf } from "../state/objective.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";

type Kept = Omit<Extract<Report, { kind: "checkpoint" | "finished" }>, "kind" | "built">;
type Epoch = Pick<Kept, "resource" | "digest" | "bytes" | "metrics">;

/**
 * `isJudged`: it is at a rung, which is where a program's checkpoint and its figures are known to belong together. `packs`: where the
 * bytes lie that came with the report.
 */
export function checkpointKept(
  state: State,
  trial: Trial,
  report: Kept,
  isJudged: boolean,
  packs: PackPlaces,
): EventOf<"CheckpointKept"> {
  const event = epochKept(state, trial, report, isJudged);
  const pack = newPlaceOf(state, packs, event.digest);
  const bestPack = event.best === undefined ? undefined : newPlaceOf(state, packs, event.best.digest);
  return {
    ...event,
    ...(pack === undefined ? {} : { pack }),
    ...(bestPack === undefined ? {} : { bestPack }),
  };
}

/** The pack that its bytes came into; undefined where none did, or where they lay in another before. */
function newPlaceOf({ packed }: State, packs: PackPlaces, digest: Digest): number | undefined {
  return packed.has(digest) ? undefined : packs.get(digest);
}

function epochKept(state: State, trial: Trial, report: Kept, isJudged: boolean): EventOf<"CheckpointKept"> {
  const { approximate, bytes, digest, fence, metrics, resource, usedMs } = report;
  const kept = { kind: "CheckpointKept", fence, resource, digest, bytes, metrics, usedMs } as const;
  const event = approximate === true ? { ...kept, approximate } : kept;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  if (!countsByBest(sweep.spec) || !(isJudged || keepsBestEpoch(sweep.spec))) return event;
  const newest = valueOf(sweep, report);
  const other = report.best === undefined ? null : valueOf(sweep, report.best);
  if (
    report.best !== undefined &&
    other !== null &&
    (isBetter(sweep, trial, other, newest) || isTested(trial, report.best, other))
  )
    return { ...event, best: { ...epochOf(report.best), value: other } };
  return newest !== null && isBetter(sweep, trial, newest, null) ? { ...event, bestValue: newest } : event;
}

export function rungReached(
  state: State,
  trial: Trial,
  { fence, resource }: Pick<Kept, "fence" | "resource">,
  { also, value }: { readonly value: number; readonly also: readonly number[] },
): EventOf<"RungReached"> {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const rung = { kind: "RungReached", fence, resource, value } as const;
  const event = also.length === 0 ? rung : { ...rung, also: [...also] };
  const counts = countsByBest(sweep.spec) ? (trial.best?.value ?? value) : value;
  const counted = counts === value ? event : { ...event, counts };
  return improves(state, sweep, trial, counts) ? { ...counted, best: true } : counted;
}

/** Its figure for the objective; null where it has none. */
function valueOf({ spec }: Sweep, { metrics }: Epoch): number | null {
  const value = metrics[spec.objective.metric];
  return value === undefined || !Number.isFinite(value) ? null : value;
}

/** Of equal epochs the earlier stays. */
function isBetter({ spec }: Sweep, { best }: Trial, value: number, than: number | null): boolean {
  const score = scoreOf(spec, value);
  if (than !== null && score < scoreOf(spec, than)) return false;
  return best === undefined || score > scoreOf(spec, best.value);
}

/** BEST-3: the trial's best epoch again, with the test's figures, which its attempt did not come to. */
function isTested({ best }: Trial, { digest, metrics, resource }: Epoch, value: number): boolean {
  if (best?.resource !== resource || best.value !== value || best.digest === digest) return false;
  return Object.entries(best.metrics).every(([name, figure]) => metrics[name] === figure);
}

function epochOf({ bytes, digest, metrics, resource }: Epoch): Epoch {
  return { resource, digest, bytes, metrics };
}
