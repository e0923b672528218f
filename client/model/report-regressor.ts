/**
 * How far a registered model's numbers lie from the true ones: its weights predict the held-out rows of the data set it was
 * trained on, here and now, so that versions of any age have a report. A classifier's is in its checkpoint, `report-model.ts`.
 */
import { readVersion } from "../../data/manifest/read-version.ts";
import { rowsAsTheyCame, type RowAsItCame } from "../../data/manifest/row-as-it-came.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView } from "../../protocol/view.ts";
import type { Environment } from "../../system/environment.ts";
import { loadModel } from "../../training/catalog/load-model.ts";
import {
  errorOf,
  splitErrors,
  type PredictedRow,
  type SplitErrors,
} from "../../training/task/regression-report.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { fetchVersion } from "../dataset/build-on-agent.ts";

const splits = ["validation", "test"] as const;
type Split = (typeof splits)[number];

export interface MissedRow extends PredictedRow {
  readonly error: number;
  /** Where it came from and what stood there; null where the data set does not say. */
  readonly came: RowAsItCame | null;
}

export type RegressionSplit = Omit<SplitErrors, "worst"> & { readonly worst: readonly MissedRow[] };

export interface RegressionReport {
  readonly kind: "regression";
  /** `name@version`. */
  readonly model: string;
  /** What trained it, such as `linear of tabular`. */
  readonly trainedBy: string;
  readonly epoch: number;
  readonly target: string;
  readonly dataset: string;
  readonly splits: { readonly [S in Split]?: RegressionSplit };
}

/** `bytes`: of the version's checkpoint. */
export async function reportRegressor(
  connected: Connected,
  { model, version }: LineageView,
  bytes: Uint8Array,
  epoch: number,
  environment: Environment,
): Promise<Outcome<RegressionReport>> {
  const name = `${model}@${version.version}`;
  if (version.dataset === null)
    return refuse(
      "unknown",
      `${name} was trained on no data set of the mesh; there are no rows to report on`,
    );
  const fetched = await fetchVersion(connected, version.dataset.digest, environment, () => undefined);
  if (!fetched.ok) return fetched;
  const { path } = fetched.value;
  const dataset = await readVersion(path);
  if (!dataset.ok) return dataset;
  const loaded = await loadModel(bytes);
  if (!loaded.ok) return loaded;
  const predictor = loaded.value;
  try {
    const rows = dataset.value;
    if (predictor.kind !== "table" || predictor.labels !== null || rows.kind !== "table")
      return refuse("invalid", `${name} predicts no number from a table`);
    const found: { [S in Split]?: RegressionSplit } = {};
    let before = rows.train.count;
    for (const split of splits) {
      const errors = splitErrors(rows[split].target, predictor.predict(rows[split].features));
      if (errors !== null) found[split] = await withPlaces(errors, path, before);
      before += rows[split].count;
    }
    return accept({
      kind: "regression",
      model: name,
      trainedBy: `${version.model} of ${version.task}`,
      epoch,
      target: rows.target,
      dataset: `${version.dataset.name} ${version.dataset.digest.slice(0, digestShown)}`,
      splits: found,
    });
  } finally {
    predictor.dispose();
  }
}

const digestShown = 12;

/** `before`: rows of the file that stand before the split's. */
async function withPlaces(errors: SplitErrors, path: string, before: number): Promise<RegressionSplit> {
  const came = await rowsAsTheyCame(
    path,
    errors.worst.map(({ row }) => before + row),
  );
  const worst = errors.worst.map((row) => ({
    ...row,
    error: errorOf(row),
    came: came.ok ? (came.value.get(before + row.row) ?? null) : null,
  }));
  return { ...errors, worst };
}
