/** GATEWAY-5: what a gateway answers of itself: health, which deployments there are, the pages, counters. Whatever is of one model its replica answers. */
import type { ServerResponse } from "node:http";
import { packageVersion } from "../../training/version/code-version.ts";
import { formPage, formPolicy } from "../../serving/protocol/form-page.ts";
import { turnDown } from "../../serving/protocol/http-refusal.ts";
import { openApiDocument } from "../../serving/protocol/openapi.ts";
import { extensions, platform } from "../../serving/server/model-metadata.ts";
import { replyJson, replyRefusal, replyText } from "../../serving/server/reply.ts";
import type { ServerQuestion } from "../../serving/server/route.ts";
import type { DeploymentTable, KnownDeployment } from "./deployment-table.ts";
import type { ForwardCounter } from "./forward-counter.ts";
import { mergedOpenApi } from "./merged-page.ts";
import type { ReplicaPool } from "./replica-pool.ts";
import { summedMetrics } from "./summed-metric.ts";

interface OwnContext {
  readonly table: DeploymentTable;
  readonly counter: ForwardCounter;
  readonly isOpen: () => boolean;
}

/** What a question of the gateway to replicas may take, ms. */
const askMs = 2_000;

export async function answerOwn(
  { counter, isOpen, table }: OwnContext,
  { kind }: ServerQuestion,
  response: ServerResponse,
): Promise<void> {
  const live = table.deployments.filter(({ state }) => state !== "stopped");
  const isReady = isOpen() && live.some((one) => table.ready(one).length > 0);
  const notReady = isOpen() ? "no deployment has a replica that answers" : "the gateway is about to end";
  switch (kind) {
    case "server-live":
      return replyJson(response, 200, { live: true });
    case "server-ready":
      return replyJson(
        response,
        isReady ? 200 : 503,
        isReady ? { ready: true } : { ready: false, error: notReady },
      );
    case "server-metadata":
      return replyJson(response, 200, { name: platform, version: packageVersion, extensions });
    case "repository-index":
      return replyJson(
        response,
        200,
        live.map((one) => indexEntry(table, one)),
      );
    case "all-stats":
      return replyRefusal(response, noStats.down, "open-inference");
    case "mlflow-ping":
      if (isReady) return replyText(response, "application/json", "\n");
      return replyRefusal(response, turnDown(503, notReady).down, "mlflow");
    case "mlflow-version":
      return replyText(response, "text/plain; charset=utf-8", packageVersion);
    case "metrics": {
      const pools = live.flatMap((one) => table.ready(one));
      const texts = await Promise.all(pools.map((pool) => textOf(pool, "/metrics")));
      counter.keep(new Set(live.map(({ deployment }) => deployment)));
      const all = counter.text() + summedMetrics(texts.flatMap((text) => text ?? []));
      return replyText(response, "text/plain; version=0.0.4; charset=utf-8", all);
    }
    case "openapi":
      return replyJson(response, 200, await openApiOf(table, live));
    case "form":
      return replyText(response, "text/html; charset=utf-8", formPage, [
        ...["content-security-policy", formPolicy, "cache-control", "no-store"],
      ]);
  }
}

export const noStats = turnDown(404, "each replica counts for itself; /metrics has their sums");

function indexEntry(table: DeploymentTable, known: KnownDeployment): object {
  const { deployment, versions, why } = known;
  const isReady = table.ready(known).length > 0;
  const [first] = versions;
  return {
    name: deployment,
    version: first === undefined ? "" : String(first.version),
    state: isReady ? "READY" : "UNAVAILABLE",
    reason: isReady ? "" : (why ?? "no replica of it answers"),
  };
}

async function openApiOf(table: DeploymentTable, live: readonly KnownDeployment[]): Promise<object> {
  const documents = await Promise.all(
    live.map(async (known) => {
      const [pool] = table.ready(known);
      const json = pool === undefined ? null : await textOf(pool, "/openapi.json");
      const model = known.versions[0]?.model ?? known.deployment;
      return json === null ? [] : [{ deployment: known.deployment, model, json }];
    }),
  );
  return mergedOpenApi(documents.flat()) ?? openApiDocument([], packageVersion);
}

/** Null where it does not answer now. */
async function textOf(pool: ReplicaPool, path: string): Promise<string | null> {
  const request = { method: "GET", path, headers: [], body: new Uint8Array() };
  const asked = await pool.ask(request, AbortSignal.timeout(askMs));
  if (asked.kind !== "answered" || asked.answer.status !== 200 || asked.answer.rest !== null) return null;
  return Buffer.from(asked.answer.body).toString("utf8");
}
