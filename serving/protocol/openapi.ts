/** What the server answers, as an OpenAPI 3.1 document: `/predict` with each model's own columns, and the protocols' paths. */
import type { InputColumn } from "../model/served-model.ts";
import type { DescribedModel } from "./described-model.ts";

/** `onTrial`: those of the models that have a version on trial. */
export function openApiDocument(
  models: readonly DescribedModel[],
  version: string,
  onTrial: readonly DescribedModel[] = [],
): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Models served by trialmesh",
      version,
      description:
        "Plain JSON under /predict, the Open Inference Protocol v2 under /v2, MLflow's scoring protocol at /invocations.",
    },
    paths: {
      ...Object.fromEntries(
        models.map((described) => [`/predict/${described.model.model}`, plainPath(described)]),
      ),
      ...Object.fromEntries(
        models.flatMap((described) => {
          const { model } = described.model;
          const base = `/v2/models/${model}`;
          return [
            [base, question(`Inputs and outputs of ${model}`)],
            [`${base}/ready`, question(`Whether ${model} is ready`)],
            [`${base}/infer`, inferPath(described)],
          ];
        }),
      ),
      ...Object.fromEntries(onTrial.flatMap(trialPaths)),
      "/invocations": {
        post: {
          summary: "MLflow's scoring protocol, for the first model",
          requestBody: body({
            type: "object",
            properties: {
              dataframe_split: { type: "object" },
              dataframe_records: rows,
              inputs: {},
              instances: { type: "array" },
            },
          }),
          responses: responses({ type: "object", properties: { predictions: { type: "array" } } }),
        },
      },
      "/v2/health/live": question("Whether the server lives"),
      "/v2/health/ready": question("Whether the server is ready"),
      "/metrics": question("Counters for Prometheus"),
    },
    components: {
      schemas: {
        Refusal: { type: "object", required: ["error"], properties: { error: { type: "string" } } },
      },
      securitySchemes: { key: { type: "http", scheme: "bearer" } },
    },
    security: [{}, { key: [] }],
  };
}

const rows = { type: "array", items: { type: "object" } };

function plainPath({ model, reference, textInput }: DescribedModel): object {
  const row = {
    type: "object",
    properties: Object.fromEntries(model.signature.inputs.map((input) => [input.name, columnSchema(input)])),
    required: model.signature.inputs.filter(({ optional }) => !optional).map(({ name }) => name),
  };
  const list = { type: "object", required: ["rows"], properties: { rows: { type: "array", items: row } } };
  const text = { type: "object", required: ["text"], properties: { text: { type: "string" } } };
  const texts = {
    type: "object",
    required: ["texts"],
    properties: { texts: { type: "array", items: { type: "string" } } },
  };
  return {
    post: {
      summary: `Ask ${reference}`,
      requestBody: body(textInput === null ? list : { oneOf: [text, texts, list] }),
      responses: responses({ type: "object" }),
    },
  };
}

function columnSchema({ kind }: InputColumn): object {
  if (kind === "number") return { type: "number" };
  return kind === "text" ? { type: "string" } : { type: ["string", "number", "boolean"] };
}

function inferPath({ inputs, reference }: DescribedModel): object {
  const tensor = {
    type: "object",
    required: ["name", "shape", "datatype", "data"],
    properties: {
      name: { type: "string", enum: inputs.map(({ name }) => name) },
      shape: { type: "array", items: { type: "integer" } },
      datatype: { type: "string" },
      data: { type: "array" },
    },
  };
  const request = {
    type: "object",
    required: ["inputs"],
    properties: {
      id: { type: "string" },
      inputs: { type: "array", items: tensor },
      outputs: { type: "array" },
    },
  };
  return {
    post: {
      summary: `Ask ${reference} by tensors`,
      requestBody: body(request),
      responses: responses({ type: "object" }),
    },
  };
}

/** What callers may say and ask of a version on trial. */
function trialPaths({ model: { model, signature } }: DescribedModel): readonly (readonly [string, object])[] {
  const { labels } = signature;
  const truth = labels === null ? { type: "number" } : { type: "string", enum: labels };
  const feedback = {
    type: "object",
    required: ["answer", "truth"],
    properties: { answer: { type: "string" }, truth: { oneOf: [truth, { type: "array", items: truth }] } },
  };
  const told = {
    post: {
      summary: `Say what was right instead of, or in, an answer of ${model}`,
      requestBody: body(feedback),
      responses: responses({ type: "object", properties: { counted: { type: "boolean" } } }),
    },
  };
  return [
    [`/feedback/${model}`, told],
    [`/v2/models/${model}/rollout`, question(`How the version of ${model} that is on trial compares`)],
  ];
}

function question(summary: string): object {
  return { get: { summary, responses: { "200": { description: "The answer" }, default: refusal } } };
}

const refusal = {
  description: "A refusal, in one sentence",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Refusal" } } },
};

function body(schema: object): object {
  return { required: true, content: { "application/json": { schema } } };
}

function responses(schema: object): object {
  return {
    "200": { description: "The answer", content: { "application/json": { schema } } },
    default: refusal,
  };
}
