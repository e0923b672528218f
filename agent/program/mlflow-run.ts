/**
 * One run as MLflow's client sees it: what it is called, its metrics with their history, parameters and tags. Not what those mean to the
 * trial: a run of the trial's own gives its facts as they are, a child run of it gives them under its name.
 */
import type { MlflowFact } from "./mlflow-fact.ts";
import type { Searchable } from "./mlflow-filter.ts";
import type { MlflowNames } from "./mlflow-name.ts";

export interface LoggedMetric {
  readonly key: string;
  readonly value: number;
  readonly step: number;
  /** ms since the Unix epoch. */
  readonly timestamp?: number | undefined;
  /** Of which model, and on which data, it is as well. */
  readonly model_id?: string | undefined;
  readonly dataset_name?: string | undefined;
  readonly dataset_digest?: string | undefined;
}

export interface LoggedPair {
  readonly key: string;
  readonly value: string;
}

interface Point {
  readonly value: number;
  readonly step: number;
  readonly timestamp: number;
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
  readonly names: MlflowNames;
  /** Of all runs of the trial: so many points more are kept for who asks for their history. */
  readonly room: { points: number };
}

/** Of each kind; what has another name after that is answered and forgotten. */
const namesMax = 1_000;
/** What a client writes into the log by itself; it says nothing of the trial. */
const ownTags = /^mlflow\.(user|source\.|runName$|autologging$|log-model\.history$|parentRunId$|rootRunId$)/;
const nameTag = "mlflow.runName";

export class MlflowRun {
  readonly place: RunPlace;
  status = "RUNNING";
  startedAt: number;
  endedAt: number | null = null;
  isDeleted = false;
  readonly #latest = new Map<string, Point>();
  readonly #history = new Map<string, Point[]>();
  readonly #params = new Map<string, string>();
  readonly #tags = new Map<string, string>();
  readonly #models: { readonly model_id: string; readonly step: number }[] = [];

  constructor(place: RunPlace, name: string) {
    this.place = place;
    this.startedAt = place.at;
    this.name = name;
  }

  get name(): string {
    return this.#tags.get(nameTag) ?? "";
  }

  set name(name: string) {
    this.#tags.set(nameTag, name);
  }

  /** Opened again, as another run of the client's: its parameters may be others. */
  begin(): void {
    this.status = "RUNNING";
    this.endedAt = null;
    this.#params.clear();
  }

  /** The one at the furthest step counts as its value, of several there the last in time. */
  measure(metrics: readonly LoggedMetric[]): MlflowFact[] {
    return metrics.map(({ key, step, timestamp = this.place.at, value }) => {
      const point = { value, step, timestamp };
      const before = this.#latest.get(key);
      if (hasRoom(this.#latest, key)) {
        if (before === undefined || isLater(point, before)) this.#latest.set(key, point);
        this.#keep(key, point);
      }
      return { kind: "metric", name: this.#named("metric", key), value, step: Math.max(0, step) };
    });
  }

  #keep(key: string, point: Point): void {
    const { room } = this.place;
    if (room.points <= 0) return;
    room.points--;
    const kept = this.#history.get(key);
    if (kept === undefined) this.#history.set(key, [point]);
    else kept.push(point);
  }

  /** As `metrics/get-history` answers it, in the order of their times. */
  history(key: string) {
    return (this.#history.get(key) ?? [])
      .toSorted((a, b) => a.timestamp - b.timestamp || a.step - b.step)
      .map((point) => metricAnswer(key, point));
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
      name: this.#named("param", key),
      value,
    }));
  }

  tag(tags: readonly LoggedPair[]): MlflowFact[] {
    return changed(this.#tags, tags)
      .filter(({ key }) => !ownTags.test(key))
      .map(({ key, value }) => ({ kind: "tag", name: this.#named("tag", key), value }));
  }

  untag(key: string): void {
    this.#tags.delete(key);
  }

  addModel(model: string, step: number): void {
    if (this.#models.length < namesMax) this.#models.push({ model_id: model, step });
  }

  info() {
    const { artifactFolder, experimentId, id } = this.place;
    return {
      run_id: id,
      run_uuid: id,
      run_name: this.name,
      experiment_id: experimentId,
      user_id: "trialmesh",
      status: this.status,
      start_time: this.startedAt,
      ...(this.endedAt === null ? {} : { end_time: this.endedAt }),
      artifact_uri: artifactFolder,
      lifecycle_stage: this.isDeleted ? "deleted" : "active",
    };
  }

  /** As `runs/get` answers it. */
  answer() {
    const pairs = (map: ReadonlyMap<string, string>) => [...map].map(([key, value]) => ({ key, value }));
    return {
      info: this.info(),
      data: {
        metrics: [...this.#latest].map(([key, point]) => metricAnswer(key, point)),
        params: pairs(this.#params),
        tags: pairs(this.#tags),
      },
      inputs: { dataset_inputs: [] },
      outputs: { model_outputs: [...this.#models] },
    };
  }

  searchable(): Searchable {
    const { artifactFolder, id } = this.place;
    return {
      metrics: new Map([...this.#latest].map(([key, { value }]) => [key, value])),
      params: this.#params,
      tags: this.#tags,
      attributes: new Map<string, string | number>([
        ["run_id", id],
        ["run_name", this.name],
        ["status", this.status],
        ["user_id", "trialmesh"],
        ["artifact_uri", artifactFolder],
        ["start_time", this.startedAt],
        ...(this.endedAt === null ? [] : [["end_time", this.endedAt] as const]),
      ]),
    };
  }

  #named(kind: "metric" | "param" | "tag", key: string): string {
    const { id, names, prefix } = this.place;
    return names.nameOf(id, kind, prefix, key);
  }
}

export function metricAnswer(key: string, { step, timestamp, value }: Point) {
  return { key, value: Number.isFinite(value) ? value : String(value), step, timestamp };
}

function isLater(a: Point, b: Point): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  return !(a.value < b.value);
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
