/**
 * The best version of a model: by the objective of the sweep that made its newest version, among the versions that were
 * measured on the same data. Figures from other data say nothing about which is better, so those are left out.
 */
import { scoreOf } from "../state/objective.ts";
import { liveVersions } from "./live-version.ts";
import { mustGet, type Model, type State, type Version } from "../state/state.ts";

export interface BestVersion {
  readonly version: Version;
  readonly why: string;
}

/** Whether the figures of two versions can be compared at all. */
export function measuredAlike(one: Version, other: Version): boolean {
  return one.task === other.task && one.dataset?.digest === other.dataset?.digest;
}

/** Null where the newest version has no figure for its own objective. Of equals the oldest, which has served longest. */
export function bestVersion(state: State, model: Model): BestVersion | null {
  const versions = liveVersions(model);
  const newest = versions.at(-1);
  if (newest === undefined) return null;
  const { spec } = mustGet(state.sweeps, newest.sweep, "sweep");
  const { metric } = spec.objective;
  const measured = versions.flatMap((version) => {
    const value = version.metrics[metric];
    return measuredAlike(version, newest) && value !== undefined && Number.isFinite(value)
      ? [{ version, value }]
      : [];
  });
  const [first, ...others] = measured;
  if (first === undefined) return null;
  const best = others.reduce(
    (found, each) => (scoreOf(spec, each.value) > scoreOf(spec, found.value) ? each : found),
    first,
  );
  const apart = versions.length - measured.length;
  const leftOut = apart === 0 ? "" : `; ${apart} measured otherwise or on other data not compared`;
  return {
    version: best.version,
    why: `its ${metric} of ${best.value.toFixed(4)} is the best of ${measured.length} measured on the same data${leftOut}`,
  };
}
