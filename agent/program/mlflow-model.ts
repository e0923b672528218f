/**
 * The models that a program logs with MLflow 3, as its client asks for them: names, states, parameters and tags. Their files go where the
 * client is told to put them; they are not kept beyond the program, and no model is registered.
 */
import { createHash } from "node:crypto";
import { readFilter, readOrder, type Searchable } from "./mlflow-filter.ts";
import { metricAnswer, type LoggedMetric, type LoggedPair } from "./mlflow-run.ts";
import {
  modelBody,
  modelChangeBody,
  modelSearchBody,
  ok,
  page,
  refused,
  refusedFor,
  shown,
  taking,
  type MlflowAnswer,
} from "./mlflow-wire.ts";

export interface ModelPlace {
  /** Of the trial's own run. */
  readonly run: string;
  readonly experimentId: string;
  /** A URL of a folder the client may write into. */
  readonly artifactFolder: string;
  readonly now: () => number;
}

interface Model {
  readonly id: string;
  readonly name: string;
  readonly type: string | undefined;
  readonly run: string | undefined;
  readonly createdAt: number;
  changedAt: number;
  status: string;
  /** By key and dataset, the newest. */
  readonly metrics: Map<string, { readonly run: string; readonly metric: LoggedMetric }>;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
}

const modelsMax = 500;
const pairsMax = 1_000;
const usualPage = 50;
const path =
  /^logged-models\/(?<id>[^/]+)(?:\/(?<part>params|tags|artifacts\/directories)(?:\/(?<key>.+))?)?$/;

export class MlflowModels {
  readonly #place: ModelPlace;
  readonly #models = new Map<string, Model>();

  constructor(place: ModelPlace) {
    this.#place = place;
  }

  /** `called`: after `/api/2.0/mlflow/`. Null where it is no call about models. */
  call(method: string, called: string, body: unknown): MlflowAnswer | null {
    if (called === "logged-models" && method === "POST")
      return taking(modelBody, body, (given) => this.#create(given));
    if (called === "logged-models/search" && method === "POST")
      return taking(modelSearchBody, body, (given) => this.#search(given));
    const found = path.exec(called)?.groups;
    if (found === undefined) return null;
    const model = this.#models.get(found["id"] ?? "");
    if (model === undefined) return refused(404, `Logged model with ID '${shown(found["id"])}' not found`);
    switch (`${method} ${found["part"] ?? ""}`) {
      case "GET ":
        return ok({ model: this.#answer(model) });
      case "PATCH ":
      case "PATCH tags":
      case "POST params":
        return taking(modelChangeBody, body, (given) => this.#change(model, given));
      case "DELETE ":
        this.#models.delete(model.id);
        return ok({});
      case "DELETE tags":
        model.tags.delete(found["key"] ?? "");
        return ok({});
      case "GET artifacts/directories":
        return ok({ root_uri: this.#folderOf(model), files: [] });
      default:
        return null;
    }
  }

  measure(run: string, metric: LoggedMetric): void {
    const { dataset_digest: digest = "", dataset_name: data = "", key, model_id: id } = metric;
    const metrics = id === undefined ? undefined : this.#models.get(id)?.metrics;
    if (metrics !== undefined && metrics.size < pairsMax)
      metrics.set(`${key} ${data} ${digest}`, { run, metric });
  }

  #create(given: {
    name?: string | undefined;
    model_type?: string | undefined;
    source_run_id?: string | undefined;
    params: readonly LoggedPair[];
    tags: readonly LoggedPair[];
  }): MlflowAnswer {
    if (this.#models.size >= modelsMax) return refused(400, `a trial has at most ${modelsMax} models`);
    const { now, run } = this.#place;
    const at = now();
    const digest = createHash("sha256")
      .update(`${run} model ${this.#models.size} ${at}`)
      .digest("hex")
      .slice(0, 32);
    const id = `m-${digest}`;
    const model: Model = {
      id,
      name: given.name ?? `model-${this.#models.size + 1}`,
      type: given.model_type,
      run: given.source_run_id,
      createdAt: at,
      changedAt: at,
      status: "LOGGED_MODEL_PENDING",
      metrics: new Map(),
      params: new Map(),
      tags: new Map(),
    };
    put(model.params, given.params);
    put(model.tags, given.tags);
    this.#models.set(id, model);
    return ok({ model: this.#answer(model) });
  }

  #change(
    model: Model,
    {
      params,
      status,
      tags,
    }: { status?: string | undefined; params: readonly LoggedPair[]; tags: readonly LoggedPair[] },
  ): MlflowAnswer {
    model.status = status ?? model.status;
    model.changedAt = this.#place.now();
    put(model.params, params);
    put(model.tags, tags);
    return ok({ model: this.#answer(model) });
  }

  #search(given: {
    experiment_ids?: readonly string[] | undefined;
    filter: string;
    order_by: readonly { field_name: string; ascending: boolean }[];
    max_results?: number | undefined;
    page_token?: string | undefined;
  }): MlflowAnswer {
    const filter = readFilter(given.filter);
    if (!filter.ok) return refusedFor(filter.refusal);
    const order = readOrder(
      given.order_by.map(({ ascending, field_name: field }) => `${field} ${ascending ? "ASC" : "DESC"}`),
    );
    if (!order.ok) return refusedFor(order.refusal);
    const isHere =
      given.experiment_ids === undefined || given.experiment_ids.includes(this.#place.experimentId);
    const found = (isHere ? [...this.#models.values()].toReversed() : [])
      .map((model) => ({ model, as: searchable(model) }))
      .filter(({ as }) => filter.value(as))
      .toSorted((a, b) => order.value(a.as, b.as));
    const { items, next } = page(found, given, usualPage);
    return ok({ models: items.map(({ model }) => this.#answer(model)), ...next });
  }

  #folderOf({ id }: Model): string {
    return `${this.#place.artifactFolder}/models/${id}/artifacts`;
  }

  #answer(model: Model) {
    const pairs = (map: ReadonlyMap<string, string>) => [...map].map(([key, value]) => ({ key, value }));
    return {
      info: {
        model_id: model.id,
        experiment_id: this.#place.experimentId,
        name: model.name,
        creation_timestamp_ms: model.createdAt,
        last_updated_timestamp_ms: model.changedAt,
        artifact_uri: this.#folderOf(model),
        status: model.status,
        ...(model.type === undefined ? {} : { model_type: model.type }),
        ...(model.run === undefined ? {} : { source_run_id: model.run }),
        tags: pairs(model.tags),
      },
      data: { params: pairs(model.params), metrics: metricsOf(model) },
    };
  }
}

function metricsOf({ createdAt, id, metrics }: Model) {
  return [...metrics.values()].map(({ metric, run }) => {
    const { dataset_digest, dataset_name, key, step, timestamp = createdAt, value } = metric;
    const data = dataset_name === undefined ? {} : { dataset_name, dataset_digest };
    return { ...metricAnswer(key, { value, step, timestamp }), model_id: id, run_id: run, ...data };
  });
}

function searchable({
  changedAt,
  createdAt,
  id,
  metrics,
  name,
  params,
  run,
  status,
  tags,
  type,
}: Model): Searchable {
  const attributes = new Map<string, string | number>([
    ["model_id", id],
    ["name", name],
    ["status", status.replace("LOGGED_MODEL_", "")],
    ["creation_timestamp", createdAt],
    ["creation_time", createdAt],
    ["last_updated_timestamp", changedAt],
  ]);
  if (run !== undefined) attributes.set("source_run_id", run);
  if (type !== undefined) attributes.set("model_type", type);
  const values = new Map([...metrics.values()].map(({ metric }) => [metric.key, metric.value]));
  return { metrics: values, params, tags, attributes };
}

function put(into: Map<string, string>, pairs: readonly LoggedPair[]): void {
  for (const { key, value } of pairs) if (into.size < pairsMax || into.has(key)) into.set(key, value);
}
