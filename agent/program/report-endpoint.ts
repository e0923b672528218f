/**
 * Where a program posts what it measures, on loopback, behind a path that only it knows: JSON with numbers in it, or the
 * calls of MLflow's client. One for each running program; nobody else gets an answer.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pathToFileURL } from "node:url";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { MlflowRun, type MlflowFact } from "./mlflow-call.ts";
import { jsonReports, type Report } from "./read-metrics.ts";

export interface ReportEndpointOptions {
  readonly trial: string;
  /** Where MLflow's client may leave artifacts. */
  readonly artifactFolder: string;
  readonly now: () => number;
  /** Metrics posted together, in the program's own words. */
  readonly onReports: (reports: readonly Report[]) => void;
  readonly onFact: (fact: MlflowFact) => void;
}

export interface ReportEndpoint {
  readonly reportUrl: string;
  readonly mlflowUrl: string;
  close(): void;
}

/** MLflow's own limit for one request. */
const bodyMaxBytes = bytesPerMiB;
const secretBytes = 24;
const runIdBytes = 16;
const apiPath = /^\/api\/[23]\.0\/mlflow\/(.+)$/;

export async function openReportEndpoint(options: ReportEndpointOptions): Promise<ReportEndpoint> {
  const secret = randomBytes(secretBytes).toString("hex");
  const run = new MlflowRun(
    randomBytes(runIdBytes).toString("hex"),
    options.trial,
    pathToFileURL(options.artifactFolder).href,
    options.now(),
  );
  const server = createServer((request, response) => {
    void answer(request, response, { ...options, secret, run });
  });
  // An open connection of a program that is gone must not keep the agent from ending.
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("broken invariant: a server without a port");
  const base = `http://127.0.0.1:${address.port}/${secret}`;
  return {
    reportUrl: `${base}/report`,
    mlflowUrl: base,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Answering extends ReportEndpointOptions {
  readonly secret: string;
  readonly run: MlflowRun;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { onFact, onReports, run, secret }: Answering,
): Promise<void> {
  const say = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (!url.pathname.startsWith(`/${secret}/`)) return say(404, {});
  const path = url.pathname.slice(secret.length + 1);
  const text = await readBody(request);
  if (text === null) return say(413, { message: `a body has at most ${bodyMaxBytes} bytes` });
  if (path === "/report" && request.method === "POST") {
    const reports = jsonReports(text);
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
  const body = request.method === "GET" ? Object.fromEntries(url.searchParams) : parseJson(text);
  const { body: said, facts, status } = run.call(call, body);
  for (const fact of facts) onFact(fact);
  say(status, said);
}

/** Null where it is longer than a request may be. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes > bodyMaxBytes) return null;
      chunks.push(chunk);
    }
  } catch {
    return ""; // it was cut off; the answer goes nowhere either
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
