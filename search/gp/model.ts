/**
 * A fitted model and the value to improve on. Pending trials, and proposals of the same call, are learnt with the mean
 * the model expects of them (Ginsbourger's "kriging believer"): it stops looking there, and elsewhere little changes.
 */
import { fitKernel, subset, type Observed } from "./fit.ts";
import { posteriorOf, type Posterior } from "./posterior.ts";
import { boxAround, regionOf, sideAfter, type Box } from "./region.ts";
import type { Study } from "./study.ts";
import { warp } from "./warp.ts";

/** Points the model is conditioned on at most. */
const conditionMax = 300;
/** The value to improve on is the least mean over so many of the best points, which noise does not fool. */
const incumbentsMax = 24;

export interface Model {
  readonly posterior: Posterior;
  /** Where to look; null for the whole space. */
  readonly box: Box | null;
  readonly best: () => number;
  /** Learns a point without a result. */
  expect(point: Float64Array): void;
}

/** Over everything seen. */
export function globalModel(study: Study, room: number): Model {
  const { frame, rows, values } = study;
  const observed = { rows, values: warp(values, false) };
  const posterior = posteriorOf(
    frame,
    fitKernel(frame, observed),
    subset(frame, observed, conditionMax),
    room,
  );
  return modelOf(study, posterior, observed, null);
}

/** Over the trials near the best one. `start`: trials before this one were not proposed by a model. */
export function localModel(study: Study, room: number, start: number): Model {
  const { frame, rows, values } = study;
  const { size } = frame;
  const { centre, near } = regionOf(study);
  const nearRows = new Float64Array(near.length * size);
  for (const [to, row] of near.entries())
    nearRows.set(rows.subarray(row * size, (row + 1) * size), to * size);
  const observed = {
    rows: nearRows,
    values: warp(
      near.map((row) => values[row] ?? 0),
      true,
    ),
  };
  const kernel = fitKernel(frame, observed);
  const point = rows.subarray(centre * size, (centre + 1) * size);
  const box = boxAround(frame, kernel, point, sideAfter(values, start, size));
  return modelOf(study, posteriorOf(frame, kernel, observed, room), observed, box);
}

function modelOf(
  { frame, pending }: Study,
  posterior: Posterior,
  observed: Observed,
  box: Box | null,
): Model {
  const { size } = frame;
  const point = new Float64Array(size);
  let best = Infinity;
  const order = [...observed.values.keys()].toSorted(
    (a, b) => (observed.values[a] ?? 0) - (observed.values[b] ?? 0) || a - b,
  );
  for (const row of order.slice(0, incumbentsMax)) {
    point.set(observed.rows.subarray(row * size, (row + 1) * size));
    if (frame.resource >= 0) point[frame.resource] = 1;
    best = Math.min(best, posterior.at(point).mean);
  }
  const expect = (at: Float64Array) => {
    const { mean } = posterior.at(at);
    posterior.add(at, mean);
    best = Math.min(best, mean);
  };
  for (const at of pending) expect(at);
  return { posterior, box, best: () => best, expect };
}
