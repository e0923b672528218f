/**
 * One run as MLflow's client sees it: what it is called, its metrics, parameters and tags. Not what those mean to the trial: a run
 * of the trial's own gives its facts as they are, a child run of it gives them under its name.
 */
import type { MlflowFact } from "./mlflow-fact.ts";

export interface LoggedMetric {
  readonly key: string;
  readonly value: number;
  readonly step: number;
}

export interface LoggedPair {
  readonly key: string;
  readonly value: string;
}

interface RunPlace {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly experimentId: string;
  /** A URL of a folder the client may write into. */
  readonly artifactFolder: string;
  /** ms since the Unix epoch. */
  readonly at: number;
  /** Before each name of what it says: empty for the trial's own run. */
  readonly prefix: string;
}

/** Of each kind; what has another name after that is answered and forgotten. */
const namesMax = 1_000;
/** What a client writes into the log by itself; it says nothing of the trial. */
const ownTags = /^mlflow\.(user|source\.|runName$|autologging$|log-model\.history$|parentRunId$|rootRunId$)/;

export class MlflowRun {
  readonly place: RunPlace;
  name: string;
  status = "RUNNING";
  readonly #metrics = new Map<string, { value: number; step: number }>();
  readonly #params = new Map<string, string>();
  readonly #tags = new Map<string, string>();

  constructor(place: RunPlace, name: string) {
    this.place = place;
    this.name = name;
  }

  /** Opened again, as another run of the client's: its parameters may be others. */
  begin(): void {
    this.status = "RUNNING";
    this.#params.clear();
  }

  measure(metrics: readonly LoggedMetric[]): MlflowFact[] {
    return metrics.map(({ key, step, value }) => {
      if (hasRoom(this.#metrics, key)) this.#metrics.set(key, { value, step });
      return { kind: "metric", name: this.#named(key), value, step: Math.max(0, step) };
    });
  }

  /** The first that has another value already: MLflow never changes a parameter. */
  clashing(params: readonly LoggedPair[]): { readonly key: string; readonly before: string } | null {
    const given = new Map<string, string>();
    for (const { key, value } of params) {
      const before = this.#params.get(key) ?? given.get(key);
      if (before !== undefined && before !== value) return { key, before };
      given.set(key, value);
    }
    return null;
  }

  set(params: readonly LoggedPair[]): MlflowFact[] {
    return changed(this.#params, params).map(({ key, value }) => ({
      kind: "param",
      name: this.#named(key),
      value,
    }));
  }

  tag(tags: readonly LoggedPair[]): MlflowFact[] {
    return changed(this.#tags, tags)
      .filter(({ key }) => !ownTags.test(key))
      .map(({ key, value }) => ({ kind: "tag", name: this.#named(key), value }));
  }

  info() {
    const { artifactFolder, at, experimentId, id } = this.place;
    return {
      run_id: id,
      run_uuid: id,
      run_name: this.name,
      experiment_id: experimentId,
      user_id: "trialmesh",
      status: this.status,
      start_time: at,
      artifact_uri: artifactFolder,
      lifecycle_stage: "active",
    };
  }

  /** As `runs/get` answers it. */
  answer() {
    const pairs = (map: ReadonlyMap<string, string>) => [...map].map(([key, value]) => ({ key, value }));
    return {
      info: this.info(),
      data: {
        metrics: [...this.#metrics].map(([key, { step, value }]) => ({
          key,
          value: Number.isFinite(value) ? value : String(value),
          step,
          timestamp: this.place.at,
        })),
        params: pairs(this.#params),
        tags: pairs(this.#tags),
      },
      inputs: { dataset_inputs: [] },
    };
  }

  #named(key: string): string {
    return `${this.place.prefix}${key}`;
  }
}

function changed(known: Map<string, string>, given: readonly LoggedPair[]) {
  return given.filter(({ key, value }) => {
    if (known.get(key) === value || !hasRoom(known, key)) return false;
    known.set(key, value);
    return true;
  });
}

function hasRoom(known: ReadonlyMap<string, unknown>, name: string): boolean {
  return known.size < namesMax || known.has(name);
}
