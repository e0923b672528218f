/** The Open Inference Protocol as pure functions: what clients send, in JSON and binary, and every way of sending it wrong. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { describeModel, textElement } from "../../serving/protocol/described-model.ts";
import { writeInfer } from "../../serving/protocol/infer-answer.ts";
import { readInfer } from "../../serving/protocol/infer-request.ts";
import { numberJson } from "../../serving/protocol/number-json.ts";
import type { RequestBody } from "../../serving/protocol/request-body.ts";
import { cellCharactersMax, rowsPerRequestMax } from "../../serving/protocol/serving-limit.ts";
import { standInAnswer, standInLabels, tableModel, textModel } from "../support/stand-in-model.ts";

const texts = describeModel(textModel());
const table = describeModel(tableModel());

function jsonBody(value: unknown): RequestBody {
  const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  return { bytes, contentType: null, charset: null, inferenceHeader: null };
}

/** As tritonclient makes it: the JSON, then each tensor's bytes. */
function binaryBody(json: object, tails: readonly Uint8Array[], headLength?: number): RequestBody {
  const head = Buffer.from(JSON.stringify(json));
  return {
    bytes: Buffer.concat([head, ...tails]),
    contentType: null,
    charset: null,
    inferenceHeader: String(headLength ?? head.length),
  };
}

function textTensor(values: readonly unknown[], shape: readonly number[] = [values.length]) {
  return { name: "text", datatype: "BYTES", shape, data: values };
}

function refusalOf(body: RequestBody, described = texts) {
  const read = readInfer(body, described);
  assert.equal(read.ok, false, "it was taken");
  assert.ok(
    read.down.message.length > 10 && !/undefined|\[object|Error:/.test(read.down.message),
    read.down.message,
  );
  return read.down;
}

const answerSchema = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  parameters: z.object({ digest: z.string(), answer: z.string() }),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.number()),
      data: z.array(z.union([z.string(), z.number()])).optional(),
      parameters: z.object({ binary_data_size: z.number() }).optional(),
    }),
  ),
});

const words = fc
  .string({ minLength: 1, maxLength: 40, unit: "binary" })
  .filter((text) => text.isWellFormed());
const someTexts = fc.array(words, { minLength: 1, maxLength: 12 });

describe("SERVE-1: what clients send is understood", () => {
  test("flat or nested, JSON or binary, typed or not, the same texts come out", () => {
    fc.assert(
      fc.property(someTexts, fc.constantFrom(null, "application/json"), (values, contentType) => {
        const n = values.length;
        const elements = values.map(textElement);
        const size = elements.reduce((sum, { length }) => sum + length, 0);
        const frame = { name: "text", datatype: "BYTES", parameters: { binary_data_size: size } };
        const bodies = [
          { ...jsonBody({ inputs: [textTensor(values)] }), contentType },
          jsonBody({ inputs: [textTensor(values, [n, 1])] }),
          jsonBody({
            inputs: [
              textTensor(
                values.map((text) => [text]),
                [n, 1],
              ),
            ],
          }),
          binaryBody({ inputs: [{ ...frame, shape: [n] }] }, elements),
          {
            ...binaryBody({ inputs: [{ ...frame, shape: [n, 1] }] }, elements),
            contentType: "application/octet-stream",
          },
        ];
        for (const body of bodies) {
          const read = readInfer(body, texts);
          assert.ok(read.ok, read.ok ? "" : read.down.message);
          assert.deepEqual(read.value.rows, { kind: "texts", count: n, texts: values });
        }
      }),
    );
  });

  test("numbers come the same in each datatype that holds them, missing ones where they may be", () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 127 }), { minLength: 1, maxLength: 9 });
    const types = fc.constantFrom(
      "UINT8",
      "INT8",
      "UINT16",
      "INT16",
      "UINT32",
      "INT32",
      "UINT64",
      "INT64",
      "FP32",
      "FP64",
    );
    fc.assert(
      fc.property(numbers, types, (values, datatype) => {
        const kind = {
          name: "kind",
          datatype: "BYTES",
          shape: [values.length],
          data: values.map(() => "big"),
        };
        const size = { name: "size", datatype, shape: [values.length] };
        const binary = values.map((value) => numberElement(value, datatype));
        const note = { name: "note", datatype: "FP64", shape: [values.length], data: values.map(() => null) };
        const length = binary.reduce((sum, one) => sum + one.length, 0);
        for (const body of [
          jsonBody({ inputs: [{ ...size, data: values }, kind, note] }),
          jsonBody({ inputs: [{ ...size, data: values }, kind] }),
          binaryBody({ inputs: [{ ...size, parameters: { binary_data_size: length } }, kind] }, binary),
        ]) {
          const read = readInfer(body, table);
          assert.ok(read.ok && read.value.rows.kind === "table", read.ok ? "" : read.down.message);
          const { columns } = read.value.rows.rows;
          assert.deepEqual(columns.get("size"), values);
          assert.deepEqual(
            columns.get("note"),
            values.map(() => null),
          );
        }
      }),
    );
  });
});

function numberElement(value: number, datatype: string): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  const sizes: Record<string, number> = {
    UINT8: 1,
    INT8: 1,
    UINT16: 2,
    INT16: 2,
    UINT32: 4,
    INT32: 4,
    FP32: 4,
  };
  const size = sizes[datatype] ?? 8;
  if (datatype === "FP32") view.setFloat32(0, value, true);
  else if (datatype === "FP64") view.setFloat64(0, value, true);
  else view.setBigInt64(0, BigInt(value), true);
  return new Uint8Array(view.buffer, 0, size);
}

describe("SERVE-2: an answer says which version gave it, in the outputs and the form that were asked for", () => {
  const wanted = fc.uniqueArray(
    fc.record({ name: fc.constantFrom("label", "probabilities"), binary: fc.boolean() }),
    { maxLength: 2, selector: ({ name }) => name },
  );

  test("JSON and binary hold the same numbers, labels and lengths", () => {
    fc.assert(
      fc.property(
        someTexts,
        wanted,
        fc.boolean(),
        fc.option(fc.string({ maxLength: 20 })),
        (values, asked, all, id) => {
          const outputs = asked.map(({ binary, name }) => ({ name, parameters: { binary_data: binary } }));
          const read = readInfer(
            jsonBody({
              ...(id === null ? {} : { id }),
              parameters: { binary_data_output: all },
              inputs: [textTensor(values)],
              ...(outputs.length === 0 ? {} : { outputs }),
            }),
            texts,
          );
          assert.ok(read.ok, read.ok ? "" : read.down.message);
          const probabilities = Float32Array.from(values.flatMap((text) => standInAnswer(text)));
          const written = writeInfer(texts, read.value, { kind: "labels", probabilities }, "trec@7~x");
          const { answer, tensors } = readAnswer(written.body, written.inferenceHeader);
          assert.equal(answer.id, id ?? undefined);
          assert.deepEqual([answer.model_name, answer.model_version], ["trec", "7"]);
          const names = outputs.length === 0 ? ["label", "probabilities"] : outputs.map(({ name }) => name);
          assert.deepEqual(
            answer.outputs.map(({ name }) => name),
            names,
          );
          for (const name of names) {
            const isBinary = asked.find((one) => one.name === name)?.binary ?? all;
            const output = answer.outputs.find((one) => one.name === name);
            assert.equal(output?.data === undefined, isBinary, `${name} is in the wrong form`);
          }
          const best = values.map((text) => {
            const row = standInAnswer(text);
            return standInLabels[row.indexOf(Math.max(...row))];
          });
          if (names.includes("label")) assert.deepEqual(tensors.get("label"), best);
          if (names.includes("probabilities"))
            assert.deepEqual(tensors.get("probabilities"), [...probabilities]);
        },
      ),
    );
  });

  test("classification gives the most probable as score:index:label", () => {
    const outputs = [{ name: "probabilities", parameters: { classification: 2 } }];
    const read = readInfer(jsonBody({ inputs: [textTensor(["a"])], outputs }), texts);
    assert.ok(read.ok);
    const probabilities = Float32Array.from([0.125, 0.5, 0.25, 0.125]);
    const { body } = writeInfer(texts, read.value, { kind: "labels", probabilities }, "x");
    const { tensors } = readAnswer(body, null);
    assert.deepEqual(tensors.get("probabilities"), ["0.5:1:DESC", '0.25:2:ENTY "quoted"']);
  });
});

/** As a client reads it: the JSON, then each binary output's bytes, and nothing after them. */
function readAnswer(body: string | Uint8Array, header: number | null) {
  const bytes = Buffer.from(body);
  const head = header ?? bytes.length;
  const answer = answerSchema.parse(JSON.parse(bytes.subarray(0, head).toString()));
  const tensors = new Map<string, (string | number)[]>();
  let at = head;
  for (const { data, datatype, name, parameters, shape } of answer.outputs) {
    const elements = shape.reduce((product, size) => product * size, 1);
    if (data !== undefined) {
      assert.equal(data.length, elements);
      tensors.set(
        name,
        data.map((one) => (typeof one === "number" ? Math.fround(one) : one)),
      );
      continue;
    }
    const tail = bytes.subarray(at, at + (parameters?.binary_data_size ?? 0));
    at += tail.length;
    const found: (string | number)[] = [];
    for (let place = 0; place < tail.length;) {
      if (datatype === "FP32") found.push(tail.readFloatLE(place));
      else found.push(tail.subarray(place + 4, place + 4 + tail.readUInt32LE(place)).toString());
      place += datatype === "FP32" ? 4 : 4 + tail.readUInt32LE(place);
    }
    assert.equal(found.length, elements);
    tensors.set(name, found);
  }
  assert.equal(at, bytes.length, "bytes follow the last tensor");
  return { answer, tensors };
}

describe("SERVE-3: whatever does not fit is refused with a sentence and never taken for something else", () => {
  test("a shape that is not the data's", () => {
    fc.assert(
      fc.property(someTexts, fc.array(fc.nat({ max: 20 }), { maxLength: 4 }), (values, shape) => {
        const elements = shape.reduce((product, size) => product * size, 1);
        fc.pre(shape.length === 0 || elements !== values.length || shape[0] !== values.length);
        assert.equal(refusalOf(jsonBody({ inputs: [textTensor(values, shape)] })).status, 400);
      }),
    );
  });

  test("a tensor whose bytes are cut, stretched, or counted wrongly, at any byte", () => {
    fc.assert(
      fc.property(someTexts, fc.nat(), fc.boolean(), (values, where, isCounted) => {
        const whole = Buffer.concat(values.map(textElement));
        const cut = whole.subarray(0, where % whole.length);
        const size = isCounted ? cut.length : whole.length;
        const json = {
          inputs: [
            {
              name: "text",
              datatype: "BYTES",
              shape: [values.length],
              parameters: { binary_data_size: size },
            },
          ],
        };
        assert.equal(refusalOf(binaryBody(json, [cut])).status, 400);
        const right = { inputs: [{ ...json.inputs[0], parameters: { binary_data_size: whole.length } }] };
        assert.equal(refusalOf(binaryBody(right, [whole, Buffer.of(0)])).status, 400);
        const head = Buffer.byteLength(JSON.stringify(right));
        for (const lie of [0, head - 1, head + 1, head + whole.length + 1, -1, 1.5, 1e12])
          assert.equal(refusalOf(binaryBody(right, [whole], lie)).status, 400);
      }),
    );
  });

  test("one byte of a good binary request changed is refused or answered, and never throws", () => {
    const elements = ["Who was Galileo ?", "How far is it ?"].map(textElement);
    const size = elements.reduce((sum, { length }) => sum + length, 0);
    const good = binaryBody(
      { inputs: [{ name: "text", datatype: "BYTES", shape: [2], parameters: { binary_data_size: size } }] },
      elements,
    );
    fc.assert(
      fc.property(fc.nat({ max: good.bytes.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const bytes = Buffer.from(good.bytes);
        bytes[at] = byte;
        const read = readInfer({ ...good, bytes }, texts);
        if (read.ok) assert.equal(read.value.rows.count, 2);
        else assert.ok(read.down.status === 400);
      }),
      { numRuns: 500 },
    );
  });

  test("any JSON at all is refused or is a request", () => {
    const strange = fc.jsonValue({ maxDepth: 4 });
    const nearly = fc.record(
      {
        id: fc.oneof(fc.string(), strange),
        inputs: fc.oneof(
          strange,
          fc.array(
            fc.record(
              {
                name: fc.constantFrom("text", "x"),
                datatype: fc.constantFrom("BYTES", "FP32", "BF16", "bytes"),
                shape: fc.oneof(strange, fc.constant([1])),
                data: strange,
              },
              { requiredKeys: [] },
            ),
          ),
        ),
        outputs: strange,
        parameters: strange,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(strange, nearly), (value) => {
        const read = readInfer(jsonBody(value), texts);
        if (!read.ok) assert.ok([400, 413].includes(read.down.status) && read.down.message.length > 10);
      }),
      { numRuns: 1_000 },
    );
  });

  const wrong: readonly (readonly [string, RequestBody, number, RegExp])[] = [
    ["no body", jsonBody(""), 400, /empty/],
    ["malformed JSON", jsonBody('{"inputs": ['), 400, /not JSON/],
    [
      "NaN",
      jsonBody('{"inputs": [{"name": "text", "datatype": "FP32", "shape": [1], "data": [NaN]}]}'),
      400,
      /NaN/,
    ],
    ["nested without end", jsonBody("[".repeat(100_000)), 400, /not JSON/],
    [
      "nested deep",
      jsonBody(
        `{"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ${"[".repeat(5_000)}${"]".repeat(5_000)}}]}`,
      ),
      400,
      /element 1 .* a list/,
    ],
    ["no UTF-8", { ...jsonBody(""), bytes: Buffer.from([0x7b, 0xff, 0x7d]) }, 400, /UTF-8/],
    ["another character set", { ...jsonBody({}), charset: "latin1" }, 415, /UTF-8/],
    ["another type", { ...jsonBody({}), contentType: "text/xml" }, 415, /application\/json/],
    [
      "binary without its header",
      { ...jsonBody({}), contentType: "application/octet-stream" },
      400,
      /Inference-Header/,
    ],
    ["an empty text", jsonBody({ inputs: [textTensor(["a", ""])] }), 400, /row 2 .* empty/],
    ["no rows", jsonBody({ inputs: [textTensor([])] }), 400, /no rows/],
    [
      "a text of 10 MB",
      jsonBody({ inputs: [textTensor(["x".repeat(10_000_000)])] }),
      413,
      new RegExp(`at most ${cellCharactersMax}`),
    ],
    [
      "a million rows",
      jsonBody({ inputs: [textTensor(Array.from({ length: 1_000_000 }, () => "a"))] }),
      413,
      new RegExp(`at most ${rowsPerRequestMax}`),
    ],
    ["a number for a text", jsonBody({ inputs: [textTensor([1])] }), 400, /element 1/],
    ["null for a text", jsonBody({ inputs: [textTensor([null])] }), 400, /row 1/],
    [
      "another input",
      jsonBody({ inputs: [{ ...textTensor(["a"]), name: "texts" }] }),
      400,
      /"texts"; it takes text/,
    ],
    ["an input twice", jsonBody({ inputs: [textTensor(["a"]), textTensor(["a"])] }), 400, /twice/],
    [
      "another output",
      jsonBody({ inputs: [textTensor(["a"])], outputs: [{ name: "score" }] }),
      400,
      /label, probabilities/,
    ],
    [
      "classes of labels",
      jsonBody({
        inputs: [textTensor(["a"])],
        outputs: [{ name: "label", parameters: { classification: 1 } }],
      }),
      400,
      /classification/,
    ],
    ["FP16", jsonBody({ inputs: [{ ...textTensor([1]), datatype: "FP16" }] }), 400, /FP16/],
  ];
  for (const [what, body, status, sentence] of wrong)
    test(what, () => {
      const down = refusalOf(body);
      assert.equal(down.status, status);
      assert.match(down.message, sentence);
    });

  test("NaN and infinity in binary, numbers out of their range, rows that do not match", () => {
    const kind = { name: "kind", datatype: "BYTES", shape: [1], data: ["big"] };
    for (const value of [NaN, Infinity, -Infinity]) {
      const size = { name: "size", datatype: "FP32", shape: [1], parameters: { binary_data_size: 4 } };
      assert.equal(
        refusalOf(binaryBody({ inputs: [size, kind] }, [numberElement(value, "FP32")]), table).status,
        400,
      );
    }
    for (const [datatype, value] of [
      ["UINT8", 256],
      ["INT8", -129],
      ["INT32", 1.5],
      ["UINT64", -1],
      ["BOOL", 2],
    ] as const)
      assert.match(
        refusalOf(jsonBody({ inputs: [{ name: "size", datatype, shape: [1], data: [value] }, kind] }), table)
          .message,
        new RegExp(datatype),
      );
    const two = { name: "size", datatype: "FP64", shape: [2], data: [1, 2] };
    assert.match(refusalOf(jsonBody({ inputs: [two, kind] }), table).message, /2 rows/);
    assert.match(refusalOf(jsonBody({ inputs: [kind] }), table).message, /"size" is missing/);
  });
});

test("SERVE-2: a number in JSON is the FP32 that was meant, exactly, and JSON's own", () => {
  const any = fc.float({ noNaN: true, noDefaultInfinity: true });
  const near = fc.integer({ min: 1, max: 2 ** 24 }).map((part) => Math.fround(part / 2 ** 24));
  fc.assert(
    fc.property(fc.oneof(any, near, fc.float({ min: 0, max: 1, noNaN: true })), (value) => {
      const text = numberJson(value);
      const read: unknown = JSON.parse(text);
      assert.ok(typeof read === "number");
      assert.equal(Math.fround(read) + 0, value + 0, text);
    }),
    { numRuns: 2_000 },
  );
});
