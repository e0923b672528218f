/** Requests passed on to a program: what comes back is what it said, and whatever it does wrong is a sentence within a bound of time and size. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { after, test } from "node:test";
import { Forwarder } from "../../client/serve/pass-to-program.ts";
import type { ProgramRequest } from "../../serving/model/program-face.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function program(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += String(part);
  return text;
}

const asked: ProgramRequest = {
  ...{ path: "/invocations", contentType: "application/json", inferenceHeader: "7" },
  body: Buffer.from("{}"),
};

test("MODEL-RUN-5: a request goes to the program as it came, and its answer back with its status", async () => {
  const url = await program((request, response) => {
    const { "content-type": type, "inference-header-content-length": header } = request.headers;
    response.writeHead(418, { "content-type": "text/plain", "inference-header-content-length": "3" });
    void bodyOf(request).then((body) =>
      response.end(`${request.method} ${request.url} ${type} ${String(header)} ${body}`),
    );
  });
  const forwarder = new Forwarder("m@1");
  const answer = await forwarder.forward(url, asked);
  assert.ok(answer.ok);
  const { body, ...rest } = answer.value;
  assert.deepEqual(rest, { status: 418, contentType: "text/plain", inferenceHeader: 3 });
  assert.equal(Buffer.from(body).toString(), "POST /invocations application/json 7 {}");
  forwarder.close();
});

test("MODEL-RUN-5: a program that is slow, says too much, breaks off, or is not there is one sentence", async () => {
  const cases: readonly (readonly [RequestListener | null, RegExp])[] = [
    [() => undefined, /the program of m@1 did not answer within 0\.2 s/],
    [(_, response) => void response.end(Buffer.alloc(3 * 1024 * 1024)), /answered with more than 1 MiB/],
    [
      (_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("half");
        setImmediate(() => response.destroy());
      },
      /broke off its answer|does not answer/,
    ],
    [(request) => void request.socket.destroy(), /does not answer just now/],
    [null, /does not answer just now/],
  ];
  for (const [listener, sentence] of cases) {
    const forwarder = new Forwarder("m@1", {
      answerMaxMs: listener?.length === 0 ? 200 : 20_000,
      answerMaxMiB: 1,
    });
    const answer = await forwarder.forward(
      listener === null ? "http://127.0.0.1:1" : await program(listener),
      asked,
    );
    assert.ok(!answer.ok);
    assert.equal(answer.refusal.code, "unavailable");
    assert.match(answer.refusal.message, sentence);
    forwarder.close();
  }
});
