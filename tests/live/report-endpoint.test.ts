/**
 * The port a program reports to, under what any user of the machine may send it: raw bytes over raw sockets, generated. It
 * counts what was accepted; whether the process lives is what every test here says by ending.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import test, { after, before } from "node:test";
import * as fc from "fast-check";
import { openReportEndpoint, type ReportEndpoint } from "../../agent/program/report-endpoint.ts";
import type { MlflowFact } from "../../agent/program/mlflow-fact.ts";
import type { Report } from "../../agent/program/metric-report.ts";

const reports: Report[] = [];
const facts: MlflowFact[] = [];
let endpoint: ReportEndpoint;
let port = 0;
let secret = "";

before(async () => {
  endpoint = await openReportEndpoint({
    trial: "s1-1",
    artifactFolder: "/nowhere",
    now: () => 1_000,
    onReports: (heard) => void reports.push(...heard),
    onFact: (fact) => void facts.push(fact),
  });
  const url = new URL(endpoint.reportUrl);
  port = Number(url.port);
  secret = url.pathname.split("/")[1] ?? "";
});
after(() => endpoint.close());

const runs = Number(process.env["TRIALMESH_FUZZ_REQUESTS"] ?? 10_000);
/** Few behind each other, for most end their connection. */
const perConnectionMax = 3;
const atOnce = 32;

/** Sends the bytes, then no more; everything answered until the other side has closed. */
function exchange(bytes: Uint8Array, finish: (socket: Socket) => void = (socket) => socket.end()) {
  return new Promise<string>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let said = "";
    socket.setEncoding("latin1").on("data", (text: string) => (said += text));
    socket.on("error", () => undefined); // it may cut us off, and that is an answer
    socket.on("close", () => resolve(said));
    socket.on("connect", () => socket.write(bytes, () => finish(socket)));
  });
}

const posted = (path: string, body: string, more = "") =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

/** Names that must never be heard of: they stand in what is not to be accepted. */
const stolen = '{"stolen": 1}';

const word = fc.string({ unit: "binary", maxLength: 12 });
const target = fc.oneof(
  fc.constantFrom(
    "//",
    "/",
    "*",
    "",
    "http://",
    "http://x:99999/",
    "//[",
    "/%",
    "/%00",
    "?",
    "#",
    "/../",
    "///report",
    "http://[::",
    "/report",
    "/version",
    "x:y",
  ),
  word.map((text) => `/${text}`),
  // All but right: the secret cut short, in capitals, behind an origin, with something before it.
  fc
    .constantFrom(
      (right: string) => `/${right.slice(1)}/report`,
      (right: string) => `/${right.slice(0, -1)}/report`,
      (right: string) => `/${right.toUpperCase().replace(/[A-F]/, "g")}/report`,
      (right: string) => `//${right}/report`,
      (right: string) => `/./${right}/report`,
      (right: string) => `/x/../${right}/report`,
      (right: string) => `/%2F${right}/report`,
      (right: string) => `http://127.0.0.1/${right}/report`,
      (right: string) => `/${right}`,
      (right: string) => `/${right}?/report`,
      (right: string) => `/${right}0/report`,
    )
    .map((spoil) => ({ spoil })),
);
const method = fc.constantFrom(
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "PATCH",
  "BREW",
  "post",
  "",
);
const header = fc.oneof(
  fc.constantFrom(
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: nonsense",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Content-Length: 1e3",
    "Expect: 100-continue",
    "Expect: the worst",
    "Upgrade: websocket\r\nConnection: Upgrade",
    "Connection: keep-alive",
    "Host: y",
    " folded: line",
    "no colon",
    ": nameless",
  ),
  fc.tuple(word, word).map(([name, value]) => `${name}: ${value}`),
  fc.integer({ min: 1, max: 40_000 }).map((length) => `X-Long: ${"h".repeat(length)}`),
);
const badRequest = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        method,
        target,
        version: fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", "FTP", ""),
        headers: fc.array(header, { maxLength: 3 }),
        length: fc.boolean(),
      })
      .map(({ headers, length, method: verb, target: asked, version }) => {
        const path = typeof asked === "string" ? asked : asked.spoil(secret);
        const lines = [
          `${verb} ${path} ${version}`,
          "Host: x",
          ...headers,
          ...(length ? [`Content-Length: ${stolen.length}`] : []),
        ];
        return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${length ? stolen : ""}`);
      }),
  },
  // Who knows the path, and sends what is no report.
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        () =>
          Buffer.concat([
            Buffer.from(
              `POST /${secret}/report HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n{"stolen\xff": 1}`,
              "latin1",
            ),
          ]),
        () => posted(`/${secret}/report`, `[${stolen}]`),
        () => posted(`/${secret}/report`, `${stolen}x`),
        () => posted(`/${secret}/report`, stolen, "Transfer-Encoding: chunked\r\n"),
        () => posted(`/${secret}/reports`, stolen),
        () => posted(`/${secret}/api/2.0/mlflow/runs/log-metric`, '{"key": "stolen"}'),
        () =>
          posted(`/${secret}/api/2.0/mlflow/runs/log-metric`, '{"key": "stolen", "value": 1, "step": 1e99}'),
        () => posted(`/${secret}/api/9.0/mlflow/runs/log-metric`, '{"key": "stolen", "value": 1}'),
        () =>
          Buffer.from(
            `GET /${secret}/api/2.0/mlflow/runs/set-tag?key=stolen&value=1 HTTP/1.1\r\nHost: x\r\n\r\n`,
          ),
        () =>
          Buffer.from(
            `PUT /${secret}/report HTTP/1.1\r\nHost: x\r\nContent-Length: ${stolen.length}\r\n\r\n${stolen}`,
          ),
        () =>
          Buffer.from(
            `POST /${secret}/report HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${stolen}\r\n0\r\n\r\n`,
          ),
        () =>
          Buffer.from(
            `POST /${secret}/report HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n${stolen}`,
          ),
        () =>
          Buffer.from(`POST /${secret}/report HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n${stolen}`),
        () =>
          Buffer.from(`POST /${secret}/report HTTP/1.1\r\nContent-Length: ${stolen.length}\r\n\r\n${stolen}`),
      )
      .map((make) => make()),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
);

test(`PROG-12: of ${runs} generated requests none ends the process and none is accepted that should not be`, async () => {
  reports.length = 0;
  facts.length = 0;
  let sent = 0;
  let mayBe = 0;
  let must = 0;
  for (let seed = 1; sent < runs; seed++) {
    const bad = fc.sample(badRequest, { seed, numRuns: perConnectionMax * atOnce });
    const good = posted(`/${secret}/report`, '{"ok": 1}');
    const connections = Array.from({ length: atOnce }, (_, index) => {
      const own = bad.slice(
        index * perConnectionMax,
        (index + 1) * perConnectionMax - (index % perConnectionMax),
      );
      sent += own.length + 1;
      // One that stands first is answered; behind others it may be, where they left the connection open.
      const begins = index % 2 === 0;
      if (begins) must++;
      else mayBe++;
      return exchange(Buffer.concat(begins ? [good, ...own] : [...own, good]));
    });
    await Promise.all(connections);
  }
  assert.deepEqual([...new Set(reports.map(({ metric }) => metric))], ["ok"]);
  assert.deepEqual(facts, []);
  assert.ok(reports.length >= must && reports.length <= must + mayBe, `${must} of ${reports.length}`);
  assert.match(
    await exchange(posted(`/${secret}/report`, '{"ok": 1}', "Connection: close\r\n")),
    /^HTTP\/1\.1 200 /,
  );
});

test("PROG-12: a body above the bound, and one that is cut off, count for nothing", async () => {
  reports.length = 0;
  const long = `{"stolen": 1, "x": "${"x".repeat(1 << 20)}"}`;
  const said = await exchange(posted(`/${secret}/report`, long));
  assert.match(said, /^(HTTP\/1\.1 413 |$)/);
  const cut = Buffer.from(
    `POST /${secret}/report HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n${stolen}`,
  );
  await exchange(cut, (socket) => socket.destroy());
  assert.deepEqual(reports, []);
});

test("PROG-13: so many connections are held, none of them long that says nothing or speaks slowly", async () => {
  const startedAt = performance.now();
  const silent = Array.from({ length: 400 }, () => exchange(Buffer.from(""), () => undefined));
  const slow = Array.from({ length: 20 }, () =>
    exchange(Buffer.from("POST /x HTTP/1.1\r\nHost"), () => undefined),
  );
  await Promise.all([...silent, ...slow]);
  const ms = performance.now() - startedAt;
  assert.ok(ms < 20_000, `they were held for ${ms} ms`);
  assert.match(
    await exchange(posted(`/${secret}/report`, '{"ok": 1}', "Connection: close\r\n")),
    /^HTTP\/1\.1 200 /,
  );
});
