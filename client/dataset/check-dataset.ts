/** Whether a dataset, however it is named, is what its own file or another expects. Records nothing. */
import { checkExpectations } from "../../data/expectation/check-expectations.ts";
import type { ExpectationReport } from "../../data/expectation/expectation-report.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Surroundings } from "../../system/environment.ts";
import { engineHere } from "./engine-option.ts";
import { isDatasetFile, openVersion, readDeclared } from "./open-version.ts";

export interface CheckDatasetOptions {
  /** A dataset file, NAME, NAME@VERSION, or a version's Parquet file. */
  readonly dataset: string;
  /** The dataset file whose expectations count; left out: the dataset's own. */
  readonly expect?: string | undefined;
  /** Who asks the mesh, where it is asked. */
  readonly as?: string | undefined;
}

export async function checkDataset(
  { as, dataset, expect }: CheckDatasetOptions,
  surroundings: Surroundings,
): Promise<Outcome<ExpectationReport>> {
  const others = expect === undefined ? null : await readDeclared(expect, surroundings.environment);
  if (others?.ok === false) return others;
  const opened = await openVersion(dataset, surroundings, as);
  if (!opened.ok) return opened;
  const { digest, path } = opened.value;
  const expectations = others?.value.expect ?? opened.value.expect ?? [];
  if (expectations.length > 0) return checkExpectations({ path, digest, expectations }, engineHere);
  const message =
    expect === undefined && !isDatasetFile(dataset)
      ? `a version does not hold what is expected of it; name the dataset file that says it, as in --expect FILE (what came of the check at its building: \`trialmesh dataset show NAME\`)`
      : `${expect ?? dataset} says nothing of what is expected; add a list \`expect:\` to it, as in expect: [no-leakage]`;
  return refuse("invalid", message);
}
