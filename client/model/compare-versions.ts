/**
 * REG-7: how two registered versions differ, as the record has them: parameters, data, labels, metrics, code, size, cost. Which one is better is
 * said of what was measured on the same data alone. Not how they answer; that is what `predict` shows.
 */
import type { Value } from "../../protocol/value.ts";
import type { LineageView, VersionView } from "../../protocol/view.ts";

/** Null where a side has none. */
interface Change<T> {
  readonly from: T | null;
  readonly to: T | null;
}

interface MetricChange extends Change<number> {
  readonly name: string;
  /** `to` less `from`; null where one is missing. */
  readonly difference: number | null;
  /** What the second version's sweep was to improve. */
  readonly objective: boolean;
  /** Of the objective; null where it is not known or the data differs. */
  readonly better: boolean | null;
}

export interface VersionSide {
  /** `name@version`. */
  readonly version: string;
  readonly aliases: readonly string[];
  readonly sweep: string;
  readonly trial: string;
  readonly agent: string;
  readonly backend: string;
  readonly requester: string;
  readonly dataset: string | null;
  /** ms since the Unix epoch. */
  readonly at: number;
}

export interface VersionDiff {
  readonly from: VersionSide;
  readonly to: VersionSide;
  /** Their bytes are the same. */
  readonly same: boolean;
  readonly metrics: readonly MetricChange[];
  /** What both have alike is left out; so in the lists below. */
  readonly parameters: readonly (Change<Value> & { readonly name: string })[];
  readonly trainedBy: Change<string> | null;
  readonly code: Change<string> | null;
  readonly epoch: Change<number> | null;
  readonly data: {
    readonly same: boolean;
    readonly name: Change<string>;
    readonly digest: Change<string>;
    /** Of all splits together. */
    readonly rows: Change<number>;
  };
  /** Null where the labels of a side are not known, or neither has any. */
  readonly labels: { readonly added: readonly string[]; readonly removed: readonly string[] } | null;
  readonly bytes: Change<number>;
  /** Milli-tokens. */
  readonly spent: Change<number>;
}

/** `labels`: empty where a number is predicted, null where they are not known. */
export interface ComparedVersion {
  readonly lineage: LineageView;
  readonly labels: readonly string[] | null;
}

export function compareVersions(one: ComparedVersion, other: ComparedVersion): VersionDiff {
  const [from, to] = [one.lineage.version, other.lineage.version];
  const name = change(from.dataset?.name, to.dataset?.name);
  const digest = change(from.dataset?.digest, to.dataset?.digest);
  return {
    from: sideOf(one.lineage),
    to: sideOf(other.lineage),
    same: from.artifact === to.artifact,
    metrics: metricChanges(from, to),
    parameters: namesOf(from.params, to.params).flatMap((parameter) => {
      const differs = changed(from.params[parameter], to.params[parameter]);
      return differs === null ? [] : [{ name: parameter, ...differs }];
    }),
    trainedBy: changed(`${from.model} of ${from.task}`, `${to.model} of ${to.task}`),
    code: changed(from.codeVersion, to.codeVersion),
    epoch: changed(from.epoch ?? one.lineage.trial.resource, to.epoch ?? other.lineage.trial.resource),
    data: { same: digest.from === digest.to, name, digest, rows: change(rowsOf(from), rowsOf(to)) },
    labels: labelChange(one.labels, other.labels),
    bytes: change(from.bytes, to.bytes),
    spent: change(from.spent, to.spent),
  };
}

function metricChanges(from: VersionView, to: VersionView): MetricChange[] {
  const objective = to.objective;
  const comparable = from.task === to.task && from.dataset?.digest === to.dataset?.digest;
  const rank = (name: string) => (name === objective?.metric ? 0 : 1);
  return namesOf(from.metrics, to.metrics)
    .toSorted((a, b) => rank(a) - rank(b))
    .map((name) => {
      const values = change(from.metrics[name], to.metrics[name]);
      const difference = values.from === null || values.to === null ? null : values.to - values.from;
      const isObjective = name === objective?.metric;
      const gain = objective?.goal === "minimize" ? -(difference ?? 0) : (difference ?? 0);
      const better = isObjective && comparable && difference !== null && gain !== 0 ? gain > 0 : null;
      return { name, ...values, difference, objective: isObjective, better };
    });
}

function labelChange(from: readonly string[] | null, to: readonly string[] | null): VersionDiff["labels"] {
  if (from === null || to === null || (from.length === 0 && to.length === 0)) return null;
  const [before, after] = [new Set(from), new Set(to)];
  return {
    added: to.filter((label) => !before.has(label)),
    removed: from.filter((label) => !after.has(label)),
  };
}

function sideOf({ aliases, model, version }: LineageView): VersionSide {
  const { agent, at, backend, dataset, requester, sweep, trial } = version;
  return {
    version: `${model}@${version.version}`,
    aliases,
    sweep,
    trial,
    agent,
    backend,
    requester,
    dataset: dataset?.name ?? null,
    at,
  };
}

function rowsOf({ dataset }: VersionView): number | undefined {
  return dataset === null ? undefined : dataset.rows.train + dataset.rows.validation + dataset.rows.test;
}

/** Of both, those of the first first. */
function namesOf(from: object, to: object): string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])];
}

function change<T>(from: T | undefined, to: T | undefined): Change<T> {
  return { from: from ?? null, to: to ?? null };
}

function changed<T>(from: T | undefined, to: T | undefined): Change<T> | null {
  return from === to ? null : change(from, to);
}
