/** SERVE-8. Answers whatever asks of the server itself or of a model, and not for rows: health, metadata, statistics, metrics, the pages. */
import type { ServerResponse } from "node:http";
import { packageVersion } from "../../training/version/code-version.ts";
import { laneLimits } from "../batch/lane-limit.ts";
import type { Lane } from "../batch/lane.ts";
import { turnDown } from "../protocol/http-refusal.ts";
import { openApiDocument } from "../protocol/openapi.ts";
import { formPage, formPolicy } from "../protocol/form-page.ts";
import { profileJson } from "../profile/profile-json.ts";
import { metricText } from "./metric-text.ts";
import { extensions, modelConfig, modelMetadata, modelStats, platform } from "./model-metadata.ts";
import type { ModelTable } from "./model-table.ts";
import { replyJson, replyRefusal, replyText } from "./reply.ts";
import { rolloutMetrics } from "./rollout-metric.ts";
import { rolloutView } from "./rollout-view.ts";
import type { ModelQuestion, ServerQuestion } from "./route.ts";

interface QuestionContext {
  readonly table: ModelTable;
  readonly isOpen: () => boolean;
}

export function answerQuestion(
  context: QuestionContext,
  question: ModelQuestion | ServerQuestion,
  response: ServerResponse,
): void {
  if ("model" in question) answerOfModel(context, question, response);
  else answerOfServer(context, question, response);
}

function answerOfServer(
  { isOpen, table }: QuestionContext,
  { kind }: ServerQuestion,
  response: ServerResponse,
): void {
  const lanes = table.places.map(({ lane }) => lane);
  const isReady = isOpen() && lanes.length > 0;
  switch (kind) {
    case "server-live":
      return replyJson(response, 200, { live: true });
    case "server-ready":
      return replyJson(response, isReady ? 200 : 503, {
        ready: isReady,
        ...(isReady ? {} : { error: "the server is about to end" }),
      });
    case "server-metadata":
      return replyJson(response, 200, { name: platform, version: packageVersion, extensions });
    case "repository-index":
      return replyJson(response, 200, lanes.map(indexEntry));
    case "all-stats":
      return replyJson(response, 200, { model_stats: lanes.map(statsOf) });
    case "mlflow-ping":
      if (isReady) return replyText(response, "application/json", "\n");
      return replyRefusal(response, turnDown(503, "the server is about to end").down, "mlflow");
    case "mlflow-version":
      return replyText(response, "text/plain; charset=utf-8", packageVersion);
    case "metrics":
      return replyText(
        response,
        "text/plain; version=0.0.4; charset=utf-8",
        metricText([...lanes, ...table.desks.flatMap(({ shadow }) => shadow ?? [])]) +
          rolloutMetrics(table.desks),
      );
    case "openapi":
      return replyJson(
        response,
        200,
        openApiDocument(
          table.places.filter(({ weight }) => weight > 0).map(({ lane }) => lane.described),
          packageVersion,
          table.desks.map(({ incumbent }) => incumbent.described),
        ),
      );
    case "form":
      return replyText(response, "text/html; charset=utf-8", formPage, [
        "content-security-policy",
        formPolicy,
        "cache-control",
        "no-store",
      ]);
  }
}

function answerOfModel(
  { isOpen, table }: QuestionContext,
  { kind, model, version }: ModelQuestion,
  response: ServerResponse,
): void {
  const found = table.find(model, version);
  if (!found.ok) return replyRefusal(response, found.down, "open-inference");
  const lane = found.value;
  const lanes = table.places.flatMap((place) =>
    place.lane.described.model.model === model ? [place.lane] : [],
  );
  switch (kind) {
    case "model-ready":
      return replyJson(response, isOpen() ? 200 : 503, { name: model, ready: isOpen() });
    case "model-metadata":
      return replyJson(
        response,
        200,
        modelMetadata(
          lane.described,
          lanes.map((one) => one.described.model.version),
        ),
      );
    case "model-config":
      return replyJson(response, 200, modelConfig(lane.described, laneLimits.batchRowsMax));
    case "model-profile":
      return answerProfile(lane, response);
    case "model-rollout":
      return answerOfRollout(table, model, response);
    case "model-stats":
      return replyJson(response, 200, { model_stats: (version === null ? lanes : [lane]).map(statsOf) });
  }
}

function answerProfile({ described, watch }: Lane, response: ServerResponse): void {
  const kept = watch?.kept ?? null;
  if (kept !== null && watch !== null)
    return replyText(response, "application/json", profileJson(kept, watch));
  const why =
    watch === null
      ? "this server keeps no profiles"
      : "no profile is kept yet; it is, within a minute after the first rows were answered";
  replyRefusal(response, turnDown(404, `${described.reference}: ${why}`).down, "open-inference");
}

function answerOfRollout(table: ModelTable, model: string, response: ServerResponse): void {
  const desk = table.desk(model);
  if (desk !== null) return replyJson(response, 200, rolloutView(desk));
  const { down } = turnDown(
    404,
    `${model} has no version on trial here; \`--canary\` and \`--shadow\` bring one in`,
  );
  replyRefusal(response, down, "open-inference");
}

function indexEntry({ described: { model } }: Lane): object {
  return { name: model.model, version: String(model.version), state: "READY", reason: "" };
}

function statsOf({ counters, described }: Lane): object {
  return modelStats(described, counters);
}
