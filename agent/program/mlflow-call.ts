/**
 * The calls of MLflow's tracking client (REST API 2.0, https://mlflow.org/docs/latest/rest-api.html) that log a run, as data:
 * what each says of the trial, and what it is answered. One experiment; it holds no socket.
 *
 * The first run is the trial's. A run with a parent is one of its own: its metrics are told under its name, as
 * `fold-1/score`, and never count as the trial's. A further run without a parent goes on with the trial's, as where a script opens
 * it for each step.
 */
import { createHash } from "node:crypto";
import type * as z from "zod";
import { MlflowModels } from "./mlflow-model.ts";
import { MlflowNames } from "./mlflow-name.ts";
import { searchRuns } from "./mlflow-search.ts";
import { MlflowRun, type LoggedMetric, type LoggedPair } from "./mlflow-run.ts";
import {
  batchBody,
  creationBody,
  historyBody,
  meantBody,
  metricBody,
  ok,
  outputBody,
  page,
  pairBody,
  refused,
  searchBody,
  shown,
  taking,
  updateBody,
  type MlflowAnswer,
} from "./mlflow-wire.ts";
import type { MlflowFact } from "./mlflow-fact.ts";

export interface MlflowPlace {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** A URL of a folder the client may write into. */
  readonly artifactFolder: string;
  /** ms since the Unix epoch. */
  readonly now: () => number;
  /** Metrics that only the trial's own run may say. */
  readonly objectives: readonly string[];
}

/** The trial's and its children. */
const runsMax = 500;
/** Of a child's name before its metrics' names. */
const prefixCharactersMax = 100;
const parentTag = "mlflow.parentRunId";

const experimentId = "0";
/** What a client may ask with GET; everything else says something, and is posted. */
const asking = new Set([
  "experiments/get-by-name",
  "experiments/get",
  "experiments/search",
  "experiments/list",
  "runs/get",
  "runs/search",
  "metrics/get-history",
  "artifacts/list",
]);
/** Points kept of all metrics, for who asks for their history. */
const pointsMax = 50_000;
const usualPoints = 25_000;

export class MlflowRuns {
  readonly #own: MlflowRun;
  readonly #models: MlflowModels;
  /** By their ids, the trial's own first. */
  readonly #runs = new Map<string, MlflowRun>();
  readonly #prefixes = new Set<string>();

  constructor({ artifactFolder, id, name, now, objectives }: MlflowPlace) {
    const names = new MlflowNames(id, objectives);
    const room = { points: pointsMax };
    this.#own = new MlflowRun({ id, experimentId, artifactFolder, at: now(), prefix: "", names, room }, name);
    this.#models = new MlflowModels({ run: id, experimentId, artifactFolder, now });
    this.#runs.set(id, this.#own);
  }

  /** `path` after `/api/2.0/mlflow/`; `body` is the parsed JSON, for GET the query as an object. */
  call(method: string, path: string, body: unknown): MlflowAnswer {
    const ofModel = this.#models.call(method, path, body);
    if (ofModel !== null) return ofModel;
    if (method !== "POST" && (method !== "GET" || !asking.has(path))) {
      const message = `${path} is posted`;
      return { status: 405, body: { error_code: "INVALID_PARAMETER_VALUE", message }, facts: [] };
    }
    return this.#answer(path, body);
  }

  #answer(path: string, body: unknown): MlflowAnswer {
    switch (path) {
      case "experiments/get-by-name":
      case "experiments/get":
        return ok({ experiment: this.#experiment() });
      case "experiments/create":
        return ok({ experiment_id: experimentId });
      case "experiments/search":
      case "experiments/list":
        return ok({ experiments: [this.#experiment()] });
      case "runs/create":
        return taking(creationBody, body, (given) => this.#create(given));
      case "runs/search":
        return taking(searchBody, body, (given) => searchRuns(this.#runs.values(), given, experimentId));
      case "runs/get":
      case "runs/update":
      case "runs/log-metric":
      case "runs/log-parameter":
      case "runs/set-tag":
      case "runs/log-batch":
      case "runs/delete-tag":
      case "runs/outputs":
      case "runs/delete":
      case "runs/restore":
      case "metrics/get-history": {
        const given = meantBody.safeParse(body).data;
        const id = given?.run_id ?? given?.run_uuid;
        const run = id === undefined ? this.#own : this.#runs.get(id);
        return run === undefined
          ? refused(404, `Run with id=${shown(id)} not found`)
          : this.#ofRun(run, path, body);
      }
      case "artifacts/list":
        return ok({ root_uri: this.#own.place.artifactFolder, files: [] });
      // Of a run they change nothing that is kept here.
      case "runs/log-inputs":
      case "runs/log-model":
      case "experiments/set-experiment-tag":
      case "experiments/update":
        return ok({});
      default:
        return {
          status: 404,
          body: { error_code: "ENDPOINT_NOT_FOUND", message: `trialmesh takes no call ${path}` },
          facts: [],
        };
    }
  }

  #ofRun(run: MlflowRun, path: string, body: unknown): MlflowAnswer {
    const setting = (params: readonly LoggedPair[], rest: () => readonly MlflowFact[]) => {
      const clash = run.clashing(params);
      if (clash !== null)
        return refused(
          400,
          `Changing param values is not allowed. Param with key='${clash.key}' was already logged with value='${clash.before}'`,
        );
      return { status: 200, body: {}, facts: [...run.set(params), ...rest()] } as const;
    };
    switch (path) {
      case "runs/update":
        return taking(updateBody, body, ({ end_time, run_name, status }) => {
          run.status = status ?? run.status;
          run.name = run_name ?? run.name;
          run.endedAt = end_time ?? run.endedAt;
          return ok({ run_info: run.info() });
        });
      case "runs/log-metric":
        return taking(metricBody, body, (one) => ({
          status: 200,
          body: {},
          facts: this.#measured(run, [one]),
        }));
      case "runs/log-parameter":
        return taking(pairBody, body, (one) => setting([one], () => []));
      case "runs/set-tag":
        return taking(pairBody, body, (one) => ({ status: 200, body: {}, facts: run.tag([one]) }));
      case "runs/delete-tag":
        return taking(pairBody, body, ({ key }) => {
          run.untag(key);
          return ok({});
        });
      case "runs/log-batch":
        return taking(batchBody, body, ({ metrics, params, tags }) =>
          setting(params, () => [...run.tag(tags), ...this.#measured(run, metrics)]),
        );
      case "runs/outputs":
        return taking(outputBody, body, ({ models }) => {
          for (const { model_id, step } of models) run.addModel(model_id, step);
          return ok({});
        });
      case "runs/delete":
      case "runs/restore":
        run.isDeleted = path === "runs/delete";
        return ok({});
      case "metrics/get-history":
        return taking(historyBody, body, (given) => {
          const { items, next } = page(run.history(given.metric_key), given, usualPoints);
          return ok({ metrics: items, ...next });
        });
      default:
        return ok({ run: run.answer() });
    }
  }

  /** What is said of a model as well as of its run. */
  #measured(run: MlflowRun, metrics: readonly LoggedMetric[]): MlflowFact[] {
    for (const metric of metrics) this.#models.measure(run.place.id, metric);
    return run.measure(metrics);
  }

  #create({ run_name, start_time, tags }: z.infer<typeof creationBody>): MlflowAnswer {
    const parent = tags.find(({ key }) => key === parentTag)?.value;
    const named = run_name ?? tags.find(({ key }) => key === "mlflow.runName")?.value;
    if (parent === undefined) {
      this.#own.begin();
      this.#own.startedAt = start_time ?? this.#own.startedAt;
      const facts = this.#own.tag(tags);
      this.#own.name = named ?? this.#own.name;
      return { status: 200, body: { run: this.#own.answer() }, facts };
    }
    const above = this.#runs.get(parent);
    if (above === undefined) return refused(404, `Run with id=${shown(parent)} not found`);
    if (this.#runs.size >= runsMax) return refused(400, `a trial has at most ${runsMax} runs`);
    const number = this.#runs.size;
    const id = createHash("sha256").update(`${this.#own.place.id} ${number}`).digest("hex").slice(0, 32);
    const name = named ?? `child-${number}`;
    const prefix = this.#prefixOf(`${above.place.prefix}${name}`, number);
    const run = new MlflowRun({ ...above.place, id, prefix }, name);
    run.startedAt = start_time ?? run.startedAt;
    this.#runs.set(id, run);
    const facts = run.tag(tags);
    return { status: 200, body: { run: run.answer() }, facts };
  }

  /** Two children of one name are told apart. */
  #prefixOf(path: string, number: number): string {
    const short = path.slice(-prefixCharactersMax);
    let prefix = short;
    for (let n = number; this.#prefixes.has(prefix); n++) prefix = `${short}-${n}`;
    this.#prefixes.add(prefix);
    return `${prefix}/`;
  }

  #experiment() {
    const { artifactFolder, at } = this.#own.place;
    return {
      experiment_id: experimentId,
      name: "Default",
      artifact_location: artifactFolder,
      lifecycle_stage: "active",
      creation_time: at,
      last_update_time: at,
      tags: [],
    };
  }
}
