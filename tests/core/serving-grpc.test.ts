/** gRPC: the same rows, answers and refusals as over HTTP, and connections that lie, stall and leave. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { openGrpcDoor, type GrpcDoor } from "../../serving/grpc/grpc-door.ts";
import { readInference, readNamed } from "../../serving/grpc/infer-message.ts";
import { describeModel, textElement } from "../../serving/protocol/described-model.ts";
import { readInfer, readSent } from "../../serving/protocol/infer-request.ts";
import { bodyBytesMax } from "../../serving/protocol/serving-limit.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import { connectionLimits, type ConnectionLimits } from "../../serving/server/connection-limit.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import {
  decoded,
  encoded,
  framed,
  GrpcCaller,
  type CallAnswer,
  type Field,
} from "../support/grpc-message.ts";
import { tensorModel } from "../support/tensor-model.ts";
import { laneFor } from "../support/serving-place.ts";
import { standInAnswer, standInLabels, tableModel, textModel } from "../support/stand-in-model.ts";

const ends: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of ends) await end();
});

async function opened(
  options: {
    readonly keys?: CallerKeys;
    readonly limits?: Partial<ConnectionLimits>;
    readonly slow?: () => Promise<void>;
  } = {},
) {
  const table = new ModelTable(() => 0.5);
  const slow = textModel({
    model: "slow",
    isAsync: true,
    ...(options.slow === undefined ? {} : { wait: options.slow }),
  });
  const graph = tensorModel({
    inputs: [{ name: "x", datatype: "FP64", shape: [-1, 3] }],
    outputs: [{ name: "y", datatype: "FP64", shape: [-1, 3] }],
  });
  for (const model of [textModel(), tableModel(), slow, graph])
    void table.put(`${model.model}@${model.version}`, laneFor(model));
  let count = 0;
  const door = await openGrpcDoor({
    ...{ table, keys: options.keys ?? null, tls: null, address: { host: "127.0.0.1", port: 0 } },
    now: () => performance.now(),
    newId: () => String(++count),
    limits: { ...connectionLimits, ...options.limits },
  });
  assert.ok(door.ok, door.ok ? "" : door.refusal.message);
  const callers: GrpcCaller[] = [];
  const caller = () => {
    const one = new GrpcCaller(`http://${(door.value satisfies GrpcDoor).address}`);
    callers.push(one);
    return one;
  };
  ends.push(async () => {
    for (const one of callers) one.close();
    await door.value.drain(100);
    await table.retireAll();
  });
  return { table, door: door.value, caller };
}

const place = await opened();
const caller = place.caller();

function inferFields(
  texts: readonly string[],
  more: readonly Field[] = [],
  model = "trec",
): readonly Field[] {
  return [
    [1, model],
    [3, "an id"],
    [
      5,
      [
        [1, "text"],
        [2, "BYTES"],
        [3, Buffer.from([texts.length])],
      ],
    ],
    [7, Buffer.concat(texts.map(textElement))],
    ...more,
  ];
}

function infer(texts: readonly string[], more: readonly Field[] = [], model = "trec"): Promise<CallAnswer> {
  return caller.call("ModelInfer", framed(encoded(inferFields(texts, more, model))));
}

/** Of the message, by name: the bytes of each output. */
function outputsOf({ message }: CallAnswer): ReadonlyMap<string, Buffer> {
  const fields = decoded(message ?? Buffer.alloc(0));
  const bytes = (number: number) =>
    fields.flatMap(([field, value]) => (field === number && Buffer.isBuffer(value) ? [value] : []));
  const names = bytes(5).map((tensor) => String(decoded(tensor).find(([field]) => field === 1)?.[1] ?? ""));
  return new Map(bytes(6).map((raw, at) => [names[at] ?? "", raw]));
}

test("SERVE-22: texts are answered as over HTTP, whatever they are, packed or not, as bytes or as contents", async () => {
  const text = fc
    .string({ minLength: 1, maxLength: 30, unit: "grapheme" })
    .filter((one) => one.isWellFormed() && one !== "throw" && one !== "refuse me");
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), fc.nat(3), async (texts, way) => {
      const fields = inferFields(texts);
      const input: Field = [
        5,
        [
          [1, "text"],
          [2, "BYTES"],
          [3, Buffer.from([texts.length])],
          [5, texts.map((one): Field => [8, one])],
        ],
      ];
      const message = encoded(way === 3 ? [fields[0] ?? [1, ""], input] : fields);
      const body = [
        framed(message),
        framed(gzipSync(message), true),
        framed(deflateSync(message), true),
        framed(message),
      ][way];
      const encoding = ["identity", "gzip", "deflate", "identity"][way] ?? "";
      const answer = await caller.call("ModelInfer", body ?? Buffer.alloc(0), { "grpc-encoding": encoding });
      assert.equal(answer.status, 0, answer.sentence);
      const outputs = outputsOf(answer);
      const floats = Buffer.concat([outputs.get("probabilities") ?? Buffer.alloc(0)]);
      const right = texts.flatMap((one) => standInAnswer(one));
      assert.deepEqual(
        Array.from({ length: right.length }, (_, at) => floats.readFloatLE(4 * at)),
        right,
      );
      const best = texts.map(
        (one) => standInLabels[standInAnswer(one).indexOf(Math.max(...standInAnswer(one)))] ?? "",
      );
      assert.deepEqual(outputs.get("label"), Buffer.concat(best.map(textElement)));
    }),
    { numRuns: 40 },
  );
});

test("SERVE-22: a request says the same as its JSON does over HTTP, wrong ones too, with the same sentence", () => {
  const described = describeModel(tableModel());
  const tensor = fc.record({
    name: fc.constantFrom("size", "kind", "note", "other"),
    datatype: fc.constantFrom("FP64", "FP32", "INT64", "BYTES", "FP16"),
    shape: fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }),
    raw: fc.uint8Array({ maxLength: 24 }),
  });
  fc.assert(
    fc.property(
      fc.array(tensor, { minLength: 1, maxLength: 4 }),
      fc.option(fc.constantFrom("value", "label")),
      (tensors, output) => {
        const message = encoded([
          [1, "price"],
          ...tensors.map(({ datatype, name, shape }): Field => [
            5,
            [
              [1, name],
              [2, datatype],
              [3, Buffer.from(shape)],
            ],
          ]),
          ...(output === null ? [] : ([[6, [[1, output]]]] as const)),
          ...tensors.map(({ raw }): Field => [7, raw]),
        ]);
        const read = readInference(message);
        assert.ok(read.ok, read.ok ? "" : read.down.message);
        const json = JSON.stringify({
          parameters: { binary_data_output: true },
          inputs: tensors.map(({ datatype, name, raw, shape }) => ({
            name,
            datatype,
            shape,
            parameters: { binary_data_size: raw.length },
          })),
          ...(output === null ? {} : { outputs: [{ name: output }] }),
        });
        const bytes = Buffer.concat([Buffer.from(json), ...tensors.map(({ raw }) => raw)]);
        const body = {
          bytes,
          contentType: null,
          charset: null,
          inferenceHeader: String(Buffer.byteLength(json)),
        };
        assert.deepEqual(readSent(read.value.sent, read.value.tail, described), readInfer(body, described));
      },
    ),
    { numRuns: 300 },
  );
});

test("SERVE-22: any bytes are a message or get a sentence", () => {
  const good = encoded(
    inferFields(
      ["a", "b"],
      [
        [
          4,
          [
            [1, "priority"],
            [2, [[2, 5n]]],
          ],
        ],
        [6, [[1, "label"]]],
      ],
    ),
  );
  const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    return bytes;
  });
  const cut = fc.nat(good.length).map((at) => good.subarray(0, at));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        damaged,
        cut,
      ),
      (bytes) => {
        for (const read of [readInference(bytes), readNamed(bytes)])
          if (!read.ok) assert.ok(read.down.status === 400 && read.down.message.length > 10);
      },
    ),
    { numRuns: 3_000 },
  );
  const described = describeModel(textModel());
  fc.assert(
    fc.property(damaged, (bytes) => {
      const read = readInference(bytes);
      if (read.ok) readSent(read.value.sent, read.value.tail, described);
    }),
    { numRuns: 1_000 },
  );
});

test("SERVE-22: health and metadata", async () => {
  const yes = async (method: string, name = "") => {
    const answer = await caller.call(method, framed(encoded(name === "" ? [] : [[1, name]])));
    assert.equal(answer.status, 0, method);
    return answer.message?.equals(Buffer.from([8, 1]));
  };
  assert.deepEqual(
    [
      await yes("ServerLive"),
      await yes("ServerReady"),
      await yes("ModelReady", "trec"),
      await yes("ModelReady", "none"),
    ],
    [true, true, true, false],
  );
  const server = await caller.call("ServerMetadata", framed(Buffer.alloc(0)));
  assert.equal(String(decoded(server.message ?? Buffer.alloc(0))[0]?.[1]), "trialmesh");
  const model = await caller.call("ModelMetadata", framed(encoded([[1, "price"]])));
  const names = decoded(model.message ?? Buffer.alloc(0)).flatMap(([field, value]) =>
    (field === 4 || field === 5) && Buffer.isBuffer(value) ? [String(decoded(value)[0]?.[1])] : [],
  );
  assert.deepEqual(names, ["size", "kind", "note", "value"]);
});

const text = (words: string): Field => [
  5,
  [
    [1, "text"],
    [2, "BYTES"],
    [3, Buffer.from([1])],
    [5, [[8, words]]],
  ],
];

/** Status, sentence, and the call that is refused so. */
const refusals: readonly (readonly [number, RegExp, () => Promise<CallAnswer>])[] = [
  [5, /no model "none" is served here/, () => infer(["a"], [], "none")],
  [5, /version "9" of "trec" is not served/, () => infer(["a"], [[2, "9"]])],
  [3, /no output "other"/, () => infer(["a"], [[6, [[1, "other"]]]])],
  [3, /both|one of them/, () => infer(["a"], [text("b")])],
  [
    3,
    /2 inputs and 1 raw_input_contents/,
    () =>
      infer(
        ["a"],
        [
          [
            5,
            [
              [1, "b"],
              [2, "BYTES"],
              [3, Buffer.from([1])],
            ],
          ],
        ],
      ),
  ],
  [
    3,
    /none of the protocol's: it has a field that is cut off/,
    () => caller.call("ModelInfer", framed(Buffer.from([10, 200]))),
  ],
  [
    3,
    /says it has 9 bytes, and 1 were sent/,
    () => caller.call("ModelInfer", Buffer.from([0, 0, 0, 0, 9, 1])),
  ],
  [3, /no message/, () => caller.call("ModelInfer", Buffer.alloc(0))],
  [
    3,
    /is packed as "snappy"/,
    () => caller.call("ModelInfer", framed(Buffer.alloc(3), true), { "grpc-encoding": "snappy" }),
  ],
  [
    3,
    /is not gzip/,
    () => caller.call("ModelInfer", framed(Buffer.alloc(3), true), { "grpc-encoding": "gzip" }),
  ],
  [
    8,
    /too large/,
    () =>
      caller.call("ModelInfer", framed(gzipSync(Buffer.alloc(bodyBytesMax + 1)), true), {
        "grpc-encoding": "gzip",
      }),
  ],
  [8, /too large/, () => caller.call("ModelInfer", framed(Buffer.alloc(bodyBytesMax + 1)))],
  [12, /there is no .*ModelConfig/, () => caller.call("ModelConfig", framed(Buffer.alloc(0)))],
  [13, /fault is the model's/, () => infer(["throw"], [], "slow")],
  [3, /row 1 is not for this model/, () => infer(["refuse me"], [], "slow")],
  [
    3,
    /for gRPC; HTTP has another/,
    () => caller.call("ServerLive", Buffer.alloc(0), { "content-type": "application/json" }),
  ],
];

test("SERVE-22: what is wrong is refused with its number and a sentence, and disturbs nobody", async () => {
  for (const [number, sentence, answer] of refusals) {
    const { sentence: said, status } = await answer();
    assert.match(said, sentence);
    assert.equal(status, number, said);
  }
  assert.equal((await infer(["still there"])).status, 0);
});

test("SERVE-22: with keys nobody asks without one, and health needs none", async () => {
  const keys = CallerKeys.read("alice 0123456789abcdef 1");
  assert.ok(keys.ok);
  const guarded = (await opened({ keys: keys.value })).caller();
  const ask = (authorization?: string) =>
    guarded.call(
      "ModelInfer",
      framed(encoded(inferFields(["a"]))),
      authorization === undefined ? {} : { authorization },
    );
  assert.equal((await guarded.call("ServerLive", framed(Buffer.alloc(0)))).status, 0);
  assert.deepEqual([(await ask()).status, (await ask("Bearer wrong")).status], [16, 16]);
  assert.equal((await ask("Bearer 0123456789abcdef")).status, 0);
  const late = await ask("Bearer 0123456789abcdef");
  assert.deepEqual([late.status, /allows 1 requests a second/.test(late.sentence)], [8, true]);
});

test("SERVE-22: a thousand at once over a few connections each get their own, and one that leaves disturbs nobody", async () => {
  const callers = [place.caller(), place.caller(), place.caller()];
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, async (_, at) => {
      const texts = Array.from({ length: 1 + (at % 3) }, (_each, row) => `call ${at} row ${row}`);
      const answer = await callers[at % 3]?.call(
        "ModelInfer",
        framed(encoded(inferFields(texts, [], at % 2 === 0 ? "trec" : "slow"))),
      );
      const floats = answer === undefined ? undefined : outputsOf(answer).get("probabilities");
      return floats?.equals(
        Buffer.from(Float32Array.from(texts.flatMap((one) => standInAnswer(one))).buffer),
      );
    }),
  );
  assert.ok(answers.every((one) => one === true));
  const leaver = place.caller();
  const left = Promise.allSettled(
    Array.from({ length: 20 }, () =>
      leaver.call("ModelInfer", framed(encoded(inferFields(["a"], [], "slow")))),
    ),
  );
  leaver.close();
  await left;
  assert.equal((await infer(["after"])).status, 0);
  const busy = place.table.places.map(({ lane }) => lane.counters.inProgress);
  assert.ok(
    busy.every((count) => count === 0),
    String(busy),
  );
});

test("SERVE-22: one that stalls is told, and the end answers what was asked and takes nothing new", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const { caller: another, door } = await opened({ limits: { requestMaxMs: 100 }, slow: () => held });
  const stalled = another();
  const said = await new Promise<string>((resolve) => {
    const path = "/inference.GRPCInferenceService/ModelInfer";
    const stream = stalled.session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
    });
    stream.on("response", (headers) =>
      resolve(`${String(headers["grpc-status"])} ${decodeURIComponent(String(headers["grpc-message"]))}`),
    );
    stream.write(Buffer.from([0, 0]));
  });
  assert.match(said, /^4 the call came too slowly/);
  stalled.close();
  const asking = another();
  const answer = asking.call("ModelInfer", framed(encoded(inferFields(["a"], [], "slow"))));
  await asking.call("ServerLive", framed(Buffer.alloc(0)));
  const drained = door.drain(5_000);
  release();
  assert.equal((await answer).status, 0);
  await drained;
  await assert.rejects(another().call("ServerLive", framed(Buffer.alloc(0))));
});

test("SERVE-22: a model of a program's own tensors gets them to the last bit, in any shape it takes, and refuses others", async () => {
  const numbers = fc.array(fc.tuple(fc.double(), fc.double(), fc.double()), { minLength: 1, maxLength: 5 });
  const ask = (rows: number, width: number, bytes: Uint8Array) =>
    caller.call(
      "ModelInfer",
      framed(
        encoded([
          [1, "graph"],
          [3, "q"],
          [
            5,
            [
              [1, "x"],
              [2, "FP64"],
              [3, Buffer.from([rows, width])],
            ],
          ],
          [7, bytes],
        ]),
      ),
    );
  await fc.assert(
    fc.asyncProperty(numbers, async (rows) => {
      const bytes = Buffer.from(Float64Array.from(rows.flat()).buffer);
      const answer = await ask(rows.length, 3, bytes);
      assert.equal(answer.status, 0, answer.sentence);
      assert.deepEqual(outputsOf(answer).get("y"), bytes);
    }),
    { numRuns: 30 },
  );
  for (const [rows, width, length] of [
    [2, 3, 47],
    [1, 4, 32],
    [2, 3, 24],
  ] as const) {
    const { sentence, status } = await ask(rows, width, Buffer.alloc(length));
    assert.deepEqual([status, /"x"/.test(sentence)], [3, true], sentence);
  }
  assert.equal((await infer(["still there"])).status, 0);
});
