/**
 * The report port of a program, to which everybody on its machine can connect: wrong requests from whoever does not know the path,
 * and wrong bodies from the program itself. Raw sockets with many requests in a row; nothing may be counted that is not right.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openReportEndpoint } from "../../../agent/program/report-endpoint.ts";
import { Draw } from "./draw.ts";
import type { FuzzOptions, FuzzReport } from "./fuzz-loop.ts";
import { mutated } from "./mutate.ts";

const bytesPerMiB = 1_048_576;
const factTextMax = 10_000;
const perConnection = 8;
const connections = 16;
/** A request whose body is shorter than it says is never answered. */
const patienceMs = 300;
const sayEvery = 50_000;

export async function fuzzHttp({ count, say, seed }: FuzzOptions): Promise<FuzzReport> {
  const draw = new Draw(seed);
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-fuzz-"));
  const answers: Record<string, number> = {};
  const violations: string[] = [];
  const endpoint = await openReportEndpoint({
    trial: "s1-1",
    artifactFolder: folder,
    now: () => 1_000,
    onReports: (reports) => {
      answers["taken"] = (answers["taken"] ?? 0) + reports.length;
      const characters = JSON.stringify(reports).length;
      if (characters > 2 * bytesPerMiB) violations.push(`reports of ${characters} characters were taken`);
    },
    onFact: (fact) => {
      if (fact.name.length > factTextMax || String(fact.value).length > factTextMax)
        violations.push(
          `a ${fact.kind} of ${fact.name.length} and ${String(fact.value).length} characters was taken`,
        );
    },
  });
  const { hostname, pathname, port } = new URL(endpoint.reportUrl);
  const secret = pathname.slice(1).replace(/\/report$/, "");
  let told = 0;
  try {
    for (let sent = 0; sent < count && violations.length === 0; sent += perConnection * connections) {
      const all = Array.from({ length: connections }, async () => {
        const requests = Array.from({ length: perConnection }, () => requestOf(secret, draw));
        return statusesOf(connect(Number(port), hostname), requests);
      });
      for (const status of (await Promise.all(all)).flat()) {
        answers[status] = (answers[status] ?? 0) + 1;
        if (status.startsWith("5")) violations.push(`it answered ${status}`);
      }
      if (sent >= told + sayEvery) say(`${(told = sent)} requests`);
    }
    // Whoever knows the path and says what is right is still served.
    const right = await fetch(endpoint.reportUrl, { method: "POST", body: '{"accuracy": 0.5}' });
    if (right.status !== 200) violations.push(`a right report is answered with ${right.status}`);
  } finally {
    endpoint.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  const heapMiB = Math.round(process.memoryUsage().heapUsed / bytesPerMiB);
  return { messages: count, answers, setAside: 0, heapMiB, violations };
}

const calls = [
  "runs/log-metric",
  "runs/log-parameter",
  "runs/log-batch",
  "runs/set-tag",
  "runs/create",
  "runs/update",
  "runs/get",
  "experiments/get-by-name",
  "runs/log-model",
];
const bodies: readonly unknown[] = [
  { accuracy: 0.5, loss: 1 },
  { run_id: "x", key: "accuracy", value: 0.5, timestamp: 1, step: 3 },
  { run_id: "x", key: "name", value: "text" },
  {
    run_id: "x",
    metrics: [{ key: "a", value: 1, timestamp: 1, step: 0 }],
    params: [{ key: "p", value: "1" }],
    tags: [],
  },
  { experiment_id: "0", run_name: "run", tags: [{ key: "t", value: "v" }] },
];

function requestOf(secret: string, draw: Draw): Buffer {
  const knows = draw.below(60) > 0;
  const place = draw.of(["/report", "/version", ...calls.map((call) => `/api/2.0/mlflow/${call}`)]);
  const path = `/${knows ? secret : draw.of(["", "x", secret.slice(1), `${secret}/..`, "%00", "..%2f"])}${place}`;
  const method = draw.oneIn(40) ? draw.of(["GET", "GET", "PUT", "OPTIONS", "DELETE", "BREW"]) : "POST";
  const body = mutated(draw.of(bodies), ["accuracy", "x", 1e308], draw);
  // Now and then a length that is not the body's, or a head that is none: the connection ends there.
  const length = draw.oneIn(200) ? draw.below(2_000_000) : body.length;
  const head = draw.oneIn(200)
    ? "\u0000 broken\r\n\r\n"
    : `${method} ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** What was answered to requests sent one after the other, until the last, or until the server says no more. */
async function statusesOf(socket: Socket, requests: readonly Buffer[]): Promise<readonly string[]> {
  let said = "";
  let found: string[] = [];
  const heard = Promise.withResolvers<void>();
  socket.setEncoding("latin1").on("data", (text: string) => {
    said += text;
    found = Array.from(said.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status = ""]) => status);
    if (found.length >= requests.length) heard.resolve();
  });
  socket.on("error", () => heard.resolve()).on("close", () => heard.resolve());
  await Promise.race([once(socket, "connect"), heard.promise]);
  socket.write(Buffer.concat(requests));
  const timer = new AbortController();
  await Promise.race([
    heard.promise,
    sleep(patienceMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
  socket.destroy();
  return found;
}
