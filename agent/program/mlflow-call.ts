/**
 * The calls of MLflow's tracking client (REST API 2.0, https://mlflow.org/docs/latest/rest-api.html) that log a run, as data:
 * what each says of the run, and what it is answered. One experiment and one run; it holds no socket and keeps no history.
 */
import * as z from "zod";
import { cutText, longText, listOf } from "../../protocol/bound.ts";

export type MlflowFact =
  | { readonly kind: "metric"; readonly name: string; readonly value: number; readonly step: number }
  | { readonly kind: "param" | "tag"; readonly name: string; readonly value: string };

export interface MlflowAnswer {
  readonly status: 200 | 400 | 404 | 405;
  readonly body: unknown;
  readonly facts: readonly MlflowFact[];
}

/** Protobuf's JSON writes 64-bit integers as numbers or as text, and what is not finite as text. */
const integer = z
  .union([
    z.int(),
    longText
      .regex(/^-?\d+$/)
      .transform(Number)
      .pipe(z.int()),
  ])
  .default(0);
const real = z.union([
  z.number(),
  z.enum(["NaN", "Infinity", "-Infinity"]).transform((word) => Number(word)),
]);
/** MLflow's own limit of a name. */
const nameCharactersMax = 250;
const name = longText.min(1).max(nameCharactersMax);
const metric = z.object({ key: name, value: real, step: integer });
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

/** Of each kind; what has another name after that is answered and forgotten. */
const namesMax = 1_000;

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
/** What a client writes into the log by itself; it says nothing of the trial. */
const ownTags = /^mlflow\.(user|source\.|runName$|autologging$|log-model\.history$)/;

export class MlflowRun {
  readonly #id: string;
  readonly #artifactFolder: string;
  readonly #startedAt: number;
  readonly #metrics = new Map<string, { value: number; step: number }>();
  readonly #params = new Map<string, string>();
  readonly #tags = new Map<string, string>();
  #name: string;
  #status = "RUNNING";

  /** `id`: 32 hexadecimal digits. `artifactFolder`: a URL of a folder the client may write into. `at`: ms since the Unix epoch. */
  constructor(id: string, name: string, artifactFolder: string, at: number) {
    this.#id = id;
    this.#name = name;
    this.#artifactFolder = artifactFolder;
    this.#startedAt = at;
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
        return this.#take(creation, body, ({ run_name, tags }) => {
          if (run_name !== undefined) this.#name = run_name;
          this.#status = "RUNNING";
          return { facts: this.#tag(tags), answer: { run: this.#run() } };
        });
      case "runs/get":
        return ok({ run: this.#run() });
      case "runs/search":
        return ok({ runs: [this.#run()] });
      case "runs/update":
        return this.#take(update, body, ({ run_name, status }) => {
          this.#status = status ?? this.#status;
          this.#name = run_name ?? this.#name;
          return { facts: [], answer: { run_info: this.#info() } };
        });
      case "runs/log-metric":
        return this.#take(metric, body, (one) => ({ facts: this.#measure([one]), answer: {} }));
      case "runs/log-parameter":
        return this.#take(pair, body, (one) => ({ facts: this.#set([one]), answer: {} }));
      case "runs/set-tag":
        return this.#take(pair, body, (one) => ({ facts: this.#tag([one]), answer: {} }));
      case "runs/log-batch":
        return this.#take(batch, body, ({ metrics, params, tags }) => ({
          facts: [...this.#set(params), ...this.#tag(tags), ...this.#measure(metrics)],
          answer: {},
        }));
      case "metrics/get-history":
        return ok({ metrics: [] });
      case "artifacts/list":
        return ok({ root_uri: this.#artifactFolder, files: [] });
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

  #take<T>(
    schema: z.ZodType<T>,
    body: unknown,
    does: (given: T) => { facts: readonly MlflowFact[]; answer: unknown },
  ): MlflowAnswer {
    const given = schema.safeParse(body);
    if (!given.success) {
      const [issue] = given.error.issues;
      const message = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it does not parse"}`;
      return { status: 400, body: { error_code: "INVALID_PARAMETER_VALUE", message }, facts: [] };
    }
    const { answer, facts } = does(given.data);
    return { status: 200, body: answer, facts };
  }

  #measure(metrics: readonly z.infer<typeof metric>[]): MlflowFact[] {
    return metrics.map(({ key, step, value }) => {
      if (hasRoom(this.#metrics, key)) this.#metrics.set(key, { value, step });
      return { kind: "metric", name: key, value, step: Math.max(0, step) };
    });
  }

  #set(params: readonly z.infer<typeof pair>[]): MlflowFact[] {
    return changed(this.#params, params).map(({ key, value }) => ({ kind: "param", name: key, value }));
  }

  #tag(tags: readonly z.infer<typeof pair>[]): MlflowFact[] {
    return changed(this.#tags, tags)
      .filter(({ key }) => !ownTags.test(key))
      .map(({ key, value }) => ({ kind: "tag", name: key, value }));
  }

  #experiment() {
    return {
      experiment_id: experimentId,
      name: "Default",
      artifact_location: this.#artifactFolder,
      lifecycle_stage: "active",
      creation_time: this.#startedAt,
      last_update_time: this.#startedAt,
      tags: [],
    };
  }

  #info() {
    return {
      run_id: this.#id,
      run_uuid: this.#id,
      run_name: this.#name,
      experiment_id: experimentId,
      user_id: "trialmesh",
      status: this.#status,
      start_time: this.#startedAt,
      artifact_uri: this.#artifactFolder,
      lifecycle_stage: "active",
    };
  }

  #run() {
    const pairs = (map: ReadonlyMap<string, string>) => [...map].map(([key, value]) => ({ key, value }));
    return {
      info: this.#info(),
      data: {
        metrics: [...this.#metrics].map(([key, { step, value }]) => ({
          key,
          value: Number.isFinite(value) ? value : String(value),
          step,
          timestamp: this.#startedAt,
        })),
        params: pairs(this.#params),
        tags: pairs(this.#tags),
      },
      inputs: { dataset_inputs: [] },
    };
  }
}

function ok(body: unknown): MlflowAnswer {
  return { status: 200, body, facts: [] };
}

function changed(known: Map<string, string>, given: readonly z.infer<typeof pair>[]) {
  return given.filter(({ key, value }) => {
    if (known.get(key) === value || !hasRoom(known, key)) return false;
    known.set(key, value);
    return true;
  });
}

function hasRoom(known: ReadonlyMap<string, unknown>, name: string): boolean {
  return known.size < namesMax || known.has(name);
}
