/** The server over real sockets: every answer and every refusal in its protocol's form, clients that lie, stall and leave, swaps and the end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import * as z from "zod";
import { textElement } from "../../serving/protocol/described-model.ts";
import { bodyBytesMax } from "../../serving/protocol/serving-limit.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import { laneFor, ServingPlace } from "../support/serving-place.ts";
import { standInAnswer, standInLabels, tableModel, textModel, wideModel } from "../support/stand-in-model.ts";
import { until } from "../support/until.ts";

const faults: unknown[] = [];
let place: ServingPlace;
before(async () => {
  place = await ServingPlace.open({
    models: [textModel(), tableModel(), textModel({ model: "slow", isAsync: true }), wideModel()],
    limits: { headersMaxMs: 300, requestMaxMs: 300, lookMs: 50 },
    onFault: (fault) => void faults.push(fault),
  });
});
after(async () => {
  await place.door.drain(1_000);
  assert.ok(faults.every((fault) => fault instanceof Error && /inside the model/.test(fault.message)));
});

const infer = (texts: readonly string[]) => ({
  inputs: [{ name: "text", datatype: "BYTES", shape: [texts.length], data: texts }],
});
const inferPath = "/v2/models/trec/infer";
const refusalSchema = z.object({ error: z.string().min(10) });
const answerSchema = z.object({
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.union([z.number(), z.string()])) })),
});

function probabilitiesIn(json: unknown): unknown {
  const found = answerSchema.parse(json).outputs.find(({ name }) => name === "probabilities")?.data;
  // FP32, as whoever asked reads them.
  return found?.map((one) => (typeof one === "number" ? Math.fround(one) : one));
}

describe("SERVE-8: health, metadata and statistics are JSON that clients read", () => {
  const questions: readonly (readonly [string, object])[] = [
    ["/v2/health/live", { live: true }],
    ["/v2/health/ready", { ready: true }],
    ["/v2/models/trec/ready", { name: "trec", ready: true }],
    ["/v2/models/trec/versions/7/ready", { name: "trec", ready: true }],
  ];
  for (const [path, right] of questions)
    test(path, async () => assert.deepEqual((await place.ask(path)).json, right));

  test("metadata names versions as texts, and the shapes with -1 for the rows", async () => {
    const { json } = await place.ask("/v2/models/price");
    const about = z
      .looseObject({
        name: z.string(),
        versions: z.array(z.string()),
        platform: z.string(),
        inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()) })),
        outputs: z.array(z.unknown()),
      })
      .parse(json);
    assert.deepEqual(about.versions, ["3"]);
    assert.deepEqual(
      about.inputs.map(({ datatype, name, shape }) => [name, datatype, shape]),
      [
        ["size", "FP64", [-1]],
        ["kind", "BYTES", [-1]],
        ["note", "FP64", [-1]],
      ],
    );
  });

  test("the server's own, the index, statistics, configuration, MLflow's questions, OpenAPI", async () => {
    const about = z
      .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
      .parse((await place.ask("/v2/")).json);
    assert.ok(about.extensions.includes("binary_tensor_data"));
    const index = z
      .array(z.object({ name: z.string(), state: z.string() }))
      .parse((await place.ask("/v2/repository/index", "")).json);
    assert.deepEqual(
      index.map(({ name }) => name),
      ["trec", "price", "slow", "wide"],
    );
    for (const path of ["/v2/models/stats", "/v2/models/trec/stats", "/v2/models/trec/config"])
      assert.equal((await place.ask(path)).status, 200);
    for (const path of ["/ping", "/health", "/version"]) assert.equal((await place.ask(path)).status, 200);
    const { paths } = z
      .looseObject({ paths: z.record(z.string(), z.unknown()) })
      .parse((await place.ask("/openapi.json")).json);
    assert.ok("/predict/price" in paths && "/v2/models/trec/infer" in paths);
  });
});

describe("SERVE-2: every answer says which version gave it", () => {
  test("in its body, in headers where that has no room for it, and in the id", async () => {
    const { headers, json, status } = await place.ask(inferPath, infer(["a", "b"]));
    assert.equal(status, 200);
    const said = z
      .looseObject({
        model_name: z.string(),
        model_version: z.string(),
        parameters: z.object({ answer: z.string(), digest: z.string() }),
      })
      .parse(json);
    assert.deepEqual(
      [said.model_name, said.model_version, said.parameters.digest],
      ["trec", "7", "ab".repeat(32)],
    );
    assert.equal(headers.get("x-trialmesh-answer"), said.parameters.answer);
    assert.match(said.parameters.answer, /^trec@7~\w+$/);
    assert.deepEqual(probabilitiesIn(json), [...standInAnswer("a"), ...standInAnswer("b")]);
    const scored = await place.ask("/invocations", { inputs: ["a"] }, { "content-type": "application/json" });
    assert.deepEqual(
      ["model", "version", "digest"].map((name) => scored.headers.get(`x-trialmesh-${name}`)),
      ["trec", "7", "ab".repeat(32)],
    );
  });

  test("packed with gzip and deflate, JSON and binary", async () => {
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ name: "text", datatype: "BYTES", shape: [1], parameters: { binary_data_size: 5 } }],
      }),
    );
    const binary = Buffer.concat([head, textElement("a")]);
    for (const [encoding, pack] of [
      ["gzip", gzipSync],
      ["deflate", deflateSync],
    ] as const) {
      const json = await place.ask(inferPath, pack(JSON.stringify(infer(["a"]))), {
        "content-encoding": encoding,
      });
      assert.deepEqual(probabilitiesIn(json.json), standInAnswer("a"));
      const packed = await place.ask(inferPath, pack(binary), {
        "content-encoding": encoding,
        "inference-header-content-length": String(head.length),
      });
      assert.deepEqual(probabilitiesIn(packed.json), standInAnswer("a"));
    }
  });

  test("plainly: one text, several, rows of a table", async () => {
    const one = z
      .looseObject({ label: z.string(), probabilities: z.record(z.string(), z.number()) })
      .parse((await place.ask("/predict/trec", { text: "a" })).json);
    assert.deepEqual(Object.keys(one.probabilities), standInLabels);
    assert.deepEqual(Object.values(one.probabilities).map(Math.fround), standInAnswer("a"));
    const several = z
      .looseObject({ predictions: z.array(z.unknown()) })
      .parse((await place.ask("/predict/trec@7", { texts: ["a", "b"] })).json);
    assert.equal(several.predictions.length, 2);
    const rows = await place.ask("/predict/price", {
      rows: [
        { size: 5, kind: "big" },
        { size: 1.5, kind: "small", note: 0 },
      ],
    });
    assert.deepEqual(z.looseObject({ predictions: z.unknown() }).parse(rows.json).predictions, [
      { value: 14 },
      { value: 1.5 },
    ]);
  });
});

describe("SERVE-9: whatever is wrong with a request, its sender gets a sentence in the form of the protocol, and nobody else is disturbed", () => {
  const wrong: readonly (readonly [string, number, string, unknown?, Record<string, string>?])[] = [
    ["an unknown path", 404, "/v3"],
    ["an unknown model", 404, "/v2/models/trek/infer", infer(["a"])],
    ["an unknown version", 404, "/v2/models/trec/versions/8/infer", infer(["a"])],
    ["a name that is no text", 404, "/v2/models/%ff/infer", infer(["a"])],
    ["a name of every object", 404, "/v2/models/constructor"],
    ["another method", 405, inferPath],
    ["a method for a question", 405, "/v2/health/live", {}],
    ["loading by a client", 404, "/v2/repository/models/trec/load", {}],
    ["malformed JSON", 400, inferPath, "{"],
    ["an empty body", 400, inferPath, ""],
    ["another type", 415, inferPath, "<a/>", { "content-type": "text/xml" }],
    ["another packing", 415, inferPath, "{}", { "content-encoding": "br" }],
    ["what is not packed as it says", 400, inferPath, "{}", { "content-encoding": "gzip" }],
    [
      "a body that unpacks to too much",
      413,
      inferPath,
      gzipSync(Buffer.alloc(2 * bodyBytesMax)),
      { "content-encoding": "gzip" },
    ],
    ["a body that is too large", 413, inferPath, Buffer.alloc(bodyBytesMax + 1, 32)],
    ["10 MB of text", 413, "/predict/trec", { text: "x".repeat(10_000_000) }],
    [
      "rows of many labels whose answer would be too large",
      413,
      "/predict/wide",
      { texts: Array.from({ length: 5_000 }, () => "a") },
    ],
    ["an empty text", 400, "/predict/trec", { text: "" }],
    ["two ways at once", 400, "/predict/trec", { text: "a", rows: [] }],
    ["a column that is not there", 400, "/predict/price", { rows: [{ size: 1, kind: "big", colour: 1 }] }],
    ["a row that lacks a value", 400, "/predict/price", { rows: [{ size: 1, kind: "big" }, { size: 1 }] }],
    ["a text for a number", 400, "/predict/price", { rows: [{ size: "1", kind: "big" }] }],
    ["what the model refuses", 400, "/predict/slow", { text: "refuse me" }],
    ["what the model fails at", 500, "/predict/slow", { text: "throw" }],
  ];
  for (const [what, status, path, body, headers] of wrong)
    test(what, async () => {
      const answer = await place.ask(path, body, headers);
      assert.equal(answer.status, status, answer.text.slice(0, 300));
      const { error } = refusalSchema.parse(answer.json);
      assert.ok(!/undefined|\[object|node:| at \S+:\d/.test(error) && error.length < 400, error);
      assert.equal((await place.ask(inferPath, infer(["after"]))).status, 200);
    });

  test("MLflow's clients hear of it in MLflow's form", async () => {
    for (const [status, body, type] of [
      [400, {}, "application/json"],
      [400, { inputs: ["a"], instances: ["a"] }, "application/json"],
      [415, "a", "text/plain"],
      [415, "a", "text/csv; charset=latin1"],
      [400, "x\n1", "text/csv"],
    ] as const) {
      const answer = await place.ask("/invocations", body, { "content-type": type });
      assert.equal(answer.status, status, answer.text);
      z.looseObject({ error_code: z.string(), message: z.string().min(10) }).parse(answer.json);
    }
  });

  test("what is no HTTP, headers without end, a body that stalls, a header that stalls", async () => {
    const head = `POST ${inferPath} HTTP/1.1\r\nhost: x\r\n`;
    const said: readonly (readonly [number, string])[] = [
      [400, "hello\r\n\r\n"],
      [400, `BREW / HTTP/1.1\r\n\r\n`],
      [431, `${head}x: ${"y".repeat(20_000)}\r\n\r\n`],
      [
        431,
        `${head}${Array.from({ length: 2_000 }, (_, at) => `x${at}: ${"y".repeat(10)}\r\n`).join("")}\r\n`,
      ],
      [408, `${head}content-length: 10\r\n\r\n{`],
      [408, `${head}x:`],
      [400, `${head}content-length: 5\r\ncontent-length: 6\r\n\r\n{}`],
      [413, `${head}content-length: 99999999999\r\n\r\n{}`],
    ];
    for (const [status, text] of said) {
      const heard = await place.say((socket) => socket.write(text));
      assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `), text.slice(0, 60));
      refusalSchema.parse(JSON.parse(heard.slice(heard.indexOf("\r\n\r\n") + 4)));
    }
  });

  test("a chunked body that grows too large is cut off at the bound", async () => {
    const chunk = Buffer.alloc(1_048_576, 32);
    const heard = await place.say((socket) => {
      socket.write(`POST ${inferPath} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
      for (let sent = 0; sent < 18; sent++) {
        socket.write(`${chunk.length.toString(16)}\r\n`);
        socket.write(chunk);
        socket.write("\r\n");
      }
      socket.write("0\r\n\r\n");
    });
    assert.match(heard, /^HTTP\/1.1 413 /);
  });

  test("clients that leave in the middle, of a body or of the wait for an answer, leave nothing behind", async () => {
    const counters = () => place.table.places.map(({ lane }) => [lane.counters.inProgress, lane.queued]);
    const whole = JSON.stringify(infer(["gone"]));
    for (const sent of [whole.slice(0, 10), whole])
      for (let count = 0; count < 50; count++) {
        const socket = place.socket();
        await once(socket, "connect");
        socket.write(
          `POST /v2/models/slow/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${whole.length}\r\n\r\n${sent}`,
        );
        socket.destroy();
      }
    await until("nothing is left", () =>
      counters()
        .flat()
        .every((count) => count === 0)
        ? true
        : null,
    );
    assert.equal((await place.ask(inferPath, infer(["after"]))).status, 200);
  });
});

test("SERVE-4: a thousand mixed requests at once, each gets its own answer", async () => {
  const own: unknown[] = [];
  // With the usual limits of time: on a busy machine a thousand callers take longer than the others here may.
  const crowded = await ServingPlace.open({
    models: [textModel(), textModel({ model: "slow", isAsync: true })],
    onFault: (fault) => void own.push(fault),
  });
  const one = async (at: number) => {
    const texts = Array.from({ length: 1 + (at % 5) }, (_, row) => `request ${at} row ${row}`);
    const path = at % 2 === 0 ? inferPath : "/v2/models/slow/infer";
    const answer = await crowded.ask(path, { ...infer(texts), id: `id ${at}` });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(z.looseObject({ id: z.string() }).parse(answer.json).id, `id ${at}`);
    assert.deepEqual(
      probabilitiesIn(answer.json),
      texts.flatMap((text) => standInAnswer(text)),
    );
  };
  await Promise.all(Array.from({ length: 1_000 }, (_, at) => one(at)));
  assert.deepEqual(own, []);
  await crowded.door.drain(1_000);
});

test("SERVE-7: versions are swapped under load; no request fails, none gets another version's answer than it says, the old ones are freed", async () => {
  let freed = 0;
  const model = (version: number) =>
    textModel({ version, isAsync: version % 2 === 0, onDispose: () => void freed++ });
  const swapping = await ServingPlace.open({ models: [model(1)] });
  try {
    let isOver = false;
    let answered = 0;
    const caller = async (name: string) => {
      for (let at = 0; !isOver; at++) {
        const text = `${name} ${at}`;
        const answer = await swapping.ask(inferPath, infer([text]));
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(probabilitiesIn(answer.json), standInAnswer(text));
        answered++;
      }
    };
    const callers = Array.from({ length: 8 }, (_, at) => caller(`caller ${at}`));
    const failed = Promise.all(callers);
    try {
      for (let version = 2; version <= 21; version++) {
        const before = answered;
        await swapping.table.put("trec@1", laneFor(model(version)));
        const answers = until("answers of the new version", () => (answered > before + 8 ? true : null));
        await Promise.race([answers, failed]);
      }
    } finally {
      isOver = true;
    }
    await failed;
    assert.equal(freed, 20);
    assert.equal((await swapping.ask("/v2/models/trec/versions/1/infer", infer(["a"]))).status, 404);
  } finally {
    await swapping.door.drain(1_000);
  }
});

test("SERVE-10: an end answers what was asked and says that it is near", async () => {
  let release: () => void = () => undefined;
  const wait = () => new Promise<void>((resolve) => (release = resolve));
  const ending = await ServingPlace.open({ models: [textModel({ isAsync: true, wait })] });
  const asked = ending.ask(inferPath, infer(["a"]));
  await until("the request is heard", () =>
    ending.table.places[0]?.lane.counters.inProgress === 1 ? true : null,
  );
  const drained = ending.door.drain(60_000);
  release();
  const answer = await asked;
  assert.deepEqual([answer.status, answer.headers.get("connection")], [200, "close"]);
  await drained;
  await assert.rejects(ending.ask("/v2/health/live"));
});

describe("SERVE-11: with keys, nobody asks without one, and each has its rate", () => {
  test("no key, a wrong one, a right one, too often", async () => {
    const keys = CallerKeys.read("alice 0123456789abcdef\nbob fedcba9876543210 2 # a bound\n");
    assert.ok(keys.ok);
    const kept = await ServingPlace.open({ models: [textModel()], keys: keys.value });
    try {
      const asked = (token: string | null, path = inferPath) =>
        kept.ask(path, infer(["a"]), token === null ? {} : { authorization: `Bearer ${token}` });
      assert.equal((await asked(null)).status, 401);
      assert.equal((await asked("0123456789abcdeX")).status, 401);
      refusalSchema.parse((await asked(null)).json);
      for (let count = 0; count < 20; count++) assert.equal((await asked("0123456789abcdef")).status, 200);
      const statuses = [];
      for (let count = 0; count < 20; count++) statuses.push(await asked("fedcba9876543210"));
      const refused = statuses.filter(({ status }) => status === 429);
      assert.ok(refused.length >= 10 && statuses[0]?.status === 200, `${refused.length} of 20 were refused`);
      assert.ok(Number(refused[0]?.headers.get("retry-after")) >= 1);
      assert.equal((await kept.ask("/v2/health/ready")).status, 200);
      for (const path of ["/metrics", "/openapi.json", "/v2/models/trec"])
        assert.equal((await kept.ask(path)).status, 401);
    } finally {
      await kept.door.drain(1_000);
    }
  });

  test("a file of keys that is wrong is refused with its line, and no token is said", () => {
    for (const text of [
      "",
      "# none",
      "alice",
      "alice short",
      "a 0123456789abcdef b",
      "a 0123456789abcdef 0",
      "a 0123456789abcdef -1",
      "a 0123456789abcdef 1 2",
      "a 0123456789abcdef\nb 0123456789abcdef",
    ]) {
      const keys = CallerKeys.read(text);
      assert.ok(!keys.ok && !keys.refusal.message.includes("0123456789abcdef"), text);
    }
  });
});

test("SERVE-12: /metrics has what dashboards look for, as Prometheus reads it, and its counts are those of the requests", async () => {
  const counting = await ServingPlace.open({ models: [textModel()] });
  try {
    for (let count = 0; count < 5; count++) await counting.ask(inferPath, infer(["a", "b"]));
    await counting.ask(inferPath, infer([""]));
    const { text } = await counting.ask("/metrics");
    const lines = text.trimEnd().split("\n");
    for (const line of lines)
      assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+\{model="trec",version="7".*\} [\d.e+-]+)$/);
    const of = (name: string) =>
      Number(
        lines
          .find((line) => line.startsWith(`${name}{`))
          ?.split(" ")
          .at(-1),
      );
    assert.deepEqual(
      [
        of("nv_inference_request_success"),
        of("nv_inference_request_failure"),
        of("nv_inference_count"),
        of("nv_inference_exec_count"),
      ],
      [5, 1, 10, 5],
    );
    assert.equal(of("bentoml_service_request_total"), 5);
    assert.equal(of("model_infer_request_duration_count"), 6);
    for (const name of [
      "nv_inference_request_duration_us",
      "nv_inference_queue_duration_us",
      "nv_inference_compute_infer_duration_us",
    ])
      assert.ok(of(name) >= 0);
  } finally {
    await counting.door.drain(1_000);
  }
});
