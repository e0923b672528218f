/**
 * Where a program posts what it measures, on loopback, behind a path that only it knows: JSON with numbers in it, or the
 * calls of MLflow's client. One for each running program; nobody else gets an answer. Any user of the machine can connect, so
 * whatever comes is refused or dropped before it counts, and nothing that comes throws.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pathToFileURL } from "node:url";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { MlflowRuns } from "./mlflow-call.ts";
import type { MlflowFact } from "./mlflow-fact.ts";
import { jsonReports } from "./read-metrics.ts";
import type { Report } from "./metric-report.ts";

export interface ReportEndpointOptions {
  readonly trial: string;
  /** Where MLflow's client may leave artifacts. */
  readonly artifactFolder: string;
  readonly now: () => number;
  /** Metrics that count as the trial's results. */
  readonly objectives?: readonly string[];
  /** Metrics posted together, in the program's own words. */
  readonly onReports: (reports: readonly Report[]) => void;
  readonly onFact: (fact: MlflowFact) => void;
}

export interface ReportEndpoint {
  readonly port: number;
  /** For whoever has a network without this machine's loopback. */
  readonly server: Server;
  readonly reportUrl: string;
  readonly mlflowUrl: string;
  close(): void;
}

/** MLflow's own limit for one request. */
const bodyMaxBytes = bytesPerMiB;
const headerMaxBytes = 16_384;
/** A program's own are a few; more can only come from somebody who was not told the path. */
const connectionsMax = 256;
/** Whoever knows the path has it in the first line of what it sends. */
const headersMaxMs = 5_000;
const requestMaxMs = 30_000;
/** Between two requests on one connection. */
const idleMaxMs = 15_000;
const lookMs = 1_000;
const secretBytes = 24;
const runIdBytes = 16;
const methods = new Set(["GET", "POST", "PATCH", "DELETE"]);
const apiPath = /^\/api\/[23]\.0\/mlflow\/(.+)$/;

export async function openReportEndpoint(options: ReportEndpointOptions): Promise<ReportEndpoint> {
  const secret = randomBytes(secretBytes).toString("hex");
  const run = new MlflowRuns({
    id: randomBytes(runIdBytes).toString("hex"),
    name: options.trial,
    artifactFolder: pathToFileURL(options.artifactFolder).href,
    now: options.now,
    objectives: options.objectives ?? [],
  });
  const server = boundedServer((request, response) => {
    answer(request, response, { ...options, secret, run }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A connection that could not be taken, for want of descriptors, is the caller's loss.
  server.on("error", () => undefined);
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("broken invariant: a server without a port");
  const base = `http://127.0.0.1:${address.port}/${secret}`;
  return {
    port: address.port,
    server,
    reportUrl: `${base}/report`,
    mlflowUrl: base,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function boundedServer(onRequest: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer(
    {
      maxHeaderSize: headerMaxBytes,
      headersTimeout: headersMaxMs,
      requestTimeout: requestMaxMs,
      keepAliveTimeout: idleMaxMs,
      connectionsCheckingInterval: lookMs,
    },
    onRequest,
  );
  server.maxConnections = connectionsMax;
  // Also for one that takes no answer.
  server.setTimeout(requestMaxMs);
  // An open connection of a program that is gone must not keep the agent from ending.
  server.unref();
  return server;
}

interface Answering extends ReportEndpointOptions {
  readonly secret: string;
  readonly run: MlflowRuns;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { onFact, onReports, run, secret }: Answering,
): Promise<void> {
  const say = (status: number, body: unknown): void => {
    // Nothing more is read of whom it would not serve.
    if (status === 404 || status === 405 || status === 413) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const asked = targetOf(request.url ?? "", secret);
  if (asked === null) return say(404, {});
  const { method = "" } = request;
  if (!methods.has(method)) return say(405, { message: `${method} is not understood here` });
  const text = await readBody(request);
  if (text === "cut off") return void response.destroy();
  if (text === "too long") return say(413, { message: `a body has at most ${bodyMaxBytes} bytes` });
  if (text === "not text") return say(400, { message: "a body is text in UTF-8" });
  const { path, query } = asked;
  if (path === "/report") {
    const reports = method === "POST" ? jsonReports(text.body) : null;
    if (reports === null || reports.length === 0)
      return say(400, { message: 'post one JSON object with numbers in it, such as {"accuracy": 0.5}' });
    onReports(reports);
    return say(200, {});
  }
  if (path === "/version") return say(200, "2.0.0");
  if (path === "/health") return say(200, "OK");
  const call = apiPath.exec(path)?.[1];
  if (call === undefined)
    return say(404, { error_code: "ENDPOINT_NOT_FOUND", message: `there is no ${path}` });
  const body = method === "GET" ? queried(query) : parseJson(text.body);
  const { body: said, facts, status } = run.call(method, call, body);
  for (const fact of facts) onFact(fact);
  say(status, said);
}

/** What is asked for behind the secret; null for whoever does not name it, in whatever form they ask. */
function targetOf(url: string, secret: string): { readonly path: string; readonly query: string } | null {
  const given = Buffer.from(url.slice(0, secret.length + 2));
  const right = Buffer.from(`/${secret}/`);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
  const [path = "", ...query] = url.slice(secret.length + 1).split("?");
  return { path, query: query.join("?") };
}

type Body = { readonly body: string } | "too long" | "not text" | "cut off";

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes > bodyMaxBytes) return "too long";
      chunks.push(chunk);
    }
  } catch {
    return "cut off";
  }
  try {
    return { body: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch {
    return "not text";
  }
}

/** Lists are names that come again. */
const listed = new Set(["experiment_ids", "order_by"]);

function queried(query: string): unknown {
  const given = new URLSearchParams(query);
  return Object.fromEntries(
    [...new Set(given.keys())].map((name) => [name, listed.has(name) ? given.getAll(name) : given.get(name)]),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
