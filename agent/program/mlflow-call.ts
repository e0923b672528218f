/**
 * The calls of MLflow's tracking client (REST API 2.0, https://mlflow.org/docs/latest/rest-api.html) that log a run, as data:
 * what each says of the trial, and what it is answered. One experiment; it holds no socket and keeps no history.
 *
 * The first run is the trial's. A run with a parent is one of its own: its metrics are told under its name, as
 * `fold-1/score`, and never count as the trial's. A further run without a parent goes on with the trial's, as where a script opens
 * it for each step.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { cutText, longText, listOf } from "../../protocol/bound.ts";
import type { MlflowFact } from "./mlflow-fact.ts";
import { MlflowRun, type LoggedPair } from "./mlflow-run.ts";
import { spokenNumber } from "./spoken-number.ts";

export interface MlflowAnswer {
  readonly status: 200 | 400 | 404 | 405;
  readonly body: unknown;
  readonly facts: readonly MlflowFact[];
}

/** Protobuf's JSON writes 64-bit integers as numbers or as text. */
const integer = z
  .union([
    z.int(),
    longText
      .regex(/^-?\d+$/)
      .transform(Number)
      .pipe(z.int()),
  ])
  .default(0);
/** MLflow's own limit of a name. */
const nameCharactersMax = 250;
const name = longText.min(1).max(nameCharactersMax);
const metric = z.object({ key: name, value: spokenNumber, step: integer });
/** MLflow allows some thousand; of a longer value its beginning is kept. */
const valueCharactersMax = 8_000;
const pair = z.object({
  key: name,
  value: cutText(valueCharactersMax).default(""),
});
const batch = z.object({
  metrics: listOf(metric).default([]),
  params: listOf(pair).default([]),
  tags: listOf(pair).default([]),
});
const creation = z.object({ run_name: longText.optional(), tags: listOf(pair).default([]) });
const update = z.object({ status: longText.optional(), run_name: longText.optional() });
/** Which run is meant; older clients say `run_uuid`. */
const meant = z.object({ run_id: longText.optional(), run_uuid: longText.optional() });

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
export class MlflowRuns {
  readonly #own: MlflowRun;
  /** By their ids, the trial's own first. */
  readonly #runs = new Map<string, MlflowRun>();
  readonly #prefixes = new Set<string>();

  /** `id`: 32 hexadecimal digits. `artifactFolder`: a URL of a folder the client may write into. `at`: ms since the Unix epoch. */
  constructor(id: string, name: string, artifactFolder: string, at: number) {
    this.#own = new MlflowRun({ id, experimentId, artifactFolder, at, prefix: "" }, name);
    this.#runs.set(id, this.#own);
  }

  /** `path` after `/api/2.0/mlflow/`; `body` is the parsed JSON, for GET the query as an object. */
  call(method: "GET" | "POST", path: string, body: unknown): MlflowAnswer {
    if (method === "GET" && !asking.has(path)) {
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
        return this.#take(creation, body, (given) => this.#create(given));
      case "runs/search":
        return ok({ runs: [...this.#runs.values()].map((run) => run.answer()) });
      case "runs/get":
      case "runs/update":
      case "runs/log-metric":
      case "runs/log-parameter":
      case "runs/set-tag":
      case "runs/log-batch": {
        const given = meant.safeParse(body).data;
        const id = given?.run_id ?? given?.run_uuid;
        const run = id === undefined ? this.#own : this.#runs.get(id);
        return run === undefined
          ? refused(404, `Run with id=${shown(id)} not found`)
          : this.#ofRun(run, path, body);
      }
      case "metrics/get-history":
        return ok({ metrics: [] });
      case "artifacts/list":
        return ok({ root_uri: this.#own.place.artifactFolder, files: [] });
      // Of a run they change nothing that is kept here.
      case "runs/delete-tag":
      case "runs/log-inputs":
      case "runs/outputs":
      case "runs/log-model":
      case "runs/delete":
      case "runs/restore":
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
        return this.#take(update, body, ({ run_name, status }) => {
          run.status = status ?? run.status;
          run.name = run_name ?? run.name;
          return { status: 200, body: { run_info: run.info() }, facts: [] };
        });
      case "runs/log-metric":
        return this.#take(metric, body, (one) => ({ status: 200, body: {}, facts: run.measure([one]) }));
      case "runs/log-parameter":
        return this.#take(pair, body, (one) => setting([one], () => []));
      case "runs/set-tag":
        return this.#take(pair, body, (one) => ({ status: 200, body: {}, facts: run.tag([one]) }));
      case "runs/log-batch":
        return this.#take(batch, body, ({ metrics, params, tags }) =>
          setting(params, () => [...run.tag(tags), ...run.measure(metrics)]),
        );
      default:
        return ok({ run: run.answer() });
    }
  }

  #create({ run_name, tags }: z.infer<typeof creation>): MlflowAnswer {
    const parent = tags.find(({ key }) => key === parentTag)?.value;
    const named = run_name ?? tags.find(({ key }) => key === "mlflow.runName")?.value;
    if (parent === undefined) {
      this.#own.name = named ?? this.#own.name;
      this.#own.begin();
      return { status: 200, body: { run: this.#own.answer() }, facts: this.#own.tag(tags) };
    }
    const above = this.#runs.get(parent);
    if (above === undefined) return refused(404, `Run with id=${shown(parent)} not found`);
    if (this.#runs.size >= runsMax) return refused(400, `a trial has at most ${runsMax} runs`);
    const number = this.#runs.size;
    const id = createHash("sha256").update(`${this.#own.place.id} ${number}`).digest("hex").slice(0, 32);
    const name = named ?? `child-${number}`;
    const run = new MlflowRun(
      { ...above.place, id, prefix: this.#prefixOf(`${above.place.prefix}${name}`, number) },
      name,
    );
    this.#runs.set(id, run);
    return { status: 200, body: { run: run.answer() }, facts: run.tag(tags) };
  }

  /** Two children of one name are told apart. */
  #prefixOf(path: string, number: number): string {
    const short = path.slice(-prefixCharactersMax);
    let prefix = short;
    for (let n = number; this.#prefixes.has(prefix); n++) prefix = `${short}-${n}`;
    this.#prefixes.add(prefix);
    return `${prefix}/`;
  }

  #take<T>(schema: z.ZodType<T>, body: unknown, does: (given: T) => MlflowAnswer): MlflowAnswer {
    const given = schema.safeParse(body);
    if (given.success) return does(given.data);
    const [issue] = given.error.issues;
    return refused(400, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it does not parse"}`);
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

function ok(body: unknown): MlflowAnswer {
  return { status: 200, body, facts: [] };
}

function refused(status: 400 | 404, message: string): MlflowAnswer {
  const code = status === 404 ? "RESOURCE_DOES_NOT_EXIST" : "INVALID_PARAMETER_VALUE";
  return { status, body: { error_code: code, message }, facts: [] };
}

function shown(id: string | undefined): string {
  return (id ?? "").slice(0, 64);
}
