/** Tensors of any shape and type in the Open Inference Protocol: what comes in is what the model gets, and what it gives is what goes out. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { elementsOf, type NamedTensor, type TensorDescription } from "../../serving/model/tensor.ts";
import type { Datatype } from "../../serving/model/tensor-datatype.ts";
import { describeModel, textElement } from "../../serving/protocol/described-model.ts";
import { elementBytes, elementsJson, nestedJson } from "../../serving/protocol/tensor-bytes.ts";
import { readTensorRequest } from "../../serving/protocol/tensor-request.ts";
import { writePlainTensors, writeTensors } from "../../serving/protocol/tensor-answer.ts";
import type { RequestBody } from "../../serving/protocol/request-body.ts";
import { tensorModel } from "../support/tensor-model.ts";

const values: Readonly<Record<Datatype, fc.Arbitrary<number | string | boolean>>> = {
  BOOL: fc.boolean(),
  BYTES: fc.string({ unit: "grapheme", maxLength: 6 }),
  UINT8: fc.integer({ min: 0, max: 255 }),
  UINT16: fc.integer({ min: 0, max: 65_535 }),
  UINT32: fc.integer({ min: 0, max: 4_294_967_295 }),
  UINT64: fc.maxSafeNat(),
  INT8: fc.integer({ min: -128, max: 127 }),
  INT16: fc.integer({ min: -32_768, max: 32_767 }),
  INT32: fc.integer(),
  INT64: fc.maxSafeInteger(),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
};

interface Sent {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly elements: readonly (number | string | boolean)[];
}

const sent: fc.Arbitrary<Sent> = fc
  .tuple(
    fc.constantFrom(...Object.keys(values).filter((one): one is Datatype => one in values)),
    fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
  )
  .chain(([datatype, shape]) => {
    const length = elementsOf(shape);
    return fc.record({
      datatype: fc.constant(datatype),
      shape: fc.constant(shape),
      // JSON has no zero with a sign.
      elements: fc
        .array(values[datatype], { minLength: length, maxLength: length })
        .map((all) => all.map((one) => (one === 0 ? 0 : one))),
    });
  });

function body(json: object, tail: Uint8Array | null = null): RequestBody {
  const head = Buffer.from(JSON.stringify(json));
  return {
    bytes: tail === null ? head : Buffer.concat([head, tail]),
    contentType: null,
    charset: null,
    inferenceHeader: tail === null ? null : String(head.length),
  };
}

function tailOf(data: NamedTensor["data"]): Uint8Array {
  return data instanceof Uint8Array ? data : Buffer.concat(data.map(textElement));
}

function hexOf(data: NamedTensor["data"]): string {
  return Buffer.from(tailOf(data)).toString("hex");
}

/** What the model is given by a request; fails where it is refused. */
function given(request: RequestBody, inputs: readonly TensorDescription[]) {
  const described = describeModel(tensorModel({ inputs, outputs: inputs }));
  const read = readTensorRequest(request, described);
  assert.ok(read.ok, read.ok ? "" : read.down.message);
  return { described, request: read.value };
}

function refusalOf(request: RequestBody, inputs: readonly TensorDescription[]): string {
  const read = readTensorRequest(request, describeModel(tensorModel({ inputs, outputs: inputs })));
  assert.ok(!read.ok);
  assert.ok(read.down.status === 400 || read.down.status === 413);
  return read.down.message;
}

const answerSchema = z.object({
  outputs: z.array(z.object({ data: z.array(z.unknown()), shape: z.array(z.number()) })),
});

describe("MODEL-RUN-3: tensors come in and go out as they were sent, whatever their type and shape", () => {
  test("flat, nested and binary mean the same, and an answer has it all to the last digit", () => {
    fc.assert(
      fc.property(sent, fc.nat(), ({ datatype, elements, shape }, free) => {
        const description = {
          name: "x",
          datatype,
          shape: shape.map((one, at) => ((free >> at) % 2 === 0 ? one : -1)),
        };
        const data = elementBytes(datatype, elements);
        const flat = { name: "x", datatype, shape };
        const nested: unknown = JSON.parse(
          nestedJson(
            elements.map((one) => JSON.stringify(one)),
            shape,
          ),
        );
        const tail = tailOf(data);
        const bodies = [
          body({ inputs: [{ ...flat, data: elements }] }),
          body({ inputs: [{ ...flat, data: nested }] }),
          body({ inputs: [{ ...flat, parameters: { binary_data_size: tail.length } }] }, tail),
        ];
        for (const one of bodies) {
          const { described, request } = given(one, [description]);
          assert.deepEqual(hexOf(request.inputs[0]?.data ?? []), hexOf(data));
          const written = writeTensors(described, request, request.inputs, "id");
          assert.ok(written.ok);
          const [output] = answerSchema.parse(JSON.parse(String(written.value.body))).outputs;
          assert.deepEqual(output?.shape, shape);
          const back = elementBytes(datatype, output?.data ?? []);
          assert.deepEqual(hexOf(back), hexOf(data));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("whole numbers of 64 bits keep every digit in binary, and JSON's that are not exact are refused", () => {
    const description = { name: "x", datatype: "INT64" as const, shape: [2] };
    const tail = Buffer.alloc(16);
    tail.writeBigInt64LE(2n ** 62n + 1n, 0);
    tail.writeBigInt64LE(-(2n ** 63n), 8);
    const { request } = given(
      body(
        { inputs: [{ name: "x", datatype: "INT64", shape: [2], parameters: { binary_data_size: 16 } }] },
        tail,
      ),
      [description],
    );
    assert.deepEqual(elementsJson(request.inputs[0] ?? { ...description, data: [] }), [
      "4611686018427387905",
      "-9223372036854775808",
    ]);
    const inexact = body({ inputs: [{ name: "x", datatype: "INT64", shape: [2], data: [1, 2 ** 60] }] });
    assert.match(refusalOf(inexact, [description]), /send it in binary/);
  });

  test("what does not fit the graph is refused with what it takes", () => {
    const inputs: readonly TensorDescription[] = [
      { name: "x", datatype: "FP32", shape: [-1, 2] },
      { name: "n", datatype: "INT64", shape: [-1] },
    ];
    const x = { name: "x", datatype: "FP32", shape: [1, 2], data: [1, 2] };
    const n = { name: "n", datatype: "INT64", shape: [1], data: [1] };
    const cases: readonly (readonly [readonly object[], RegExp, object?])[] = [
      [[x], /"n" is missing; the model takes x FP32 \[-1, 2\], n INT64 \[-1\]/],
      [[x, n, { ...n, name: "z" }], /no input "z"/],
      [[x, n, n], /stands twice/],
      [[{ ...x, datatype: "FP64" }, n], /was sent as FP64/],
      [[{ ...x, shape: [2], data: [1, 2] }, n], /shape \[2\]; the model takes x FP32/],
      [[{ ...x, shape: [1, 3], data: [1, 2, 3] }, n], /shape \[1, 3\]/],
      [[{ ...x, shape: [2, 2], data: [1, 2, 3, 4] }, n], /"x" has 2 rows and "n" has 1/],
      [
        [
          { ...x, shape: [0, 2], data: [] },
          { ...n, shape: [0], data: [] },
        ],
        /no rows/,
      ],
      [[{ ...x, data: [1] }, n], /2 elements, and its data has 1/],
      [[{ ...x, data: [1, "a"] }, n], /no FP32/],
      [[x, { ...n, data: [null] }], /null/],
      [[x, { ...n, data: [1.5] }], /no INT64/],
      [[{ ...x, shape: [1e9, 1e9] }, n], /elements/],
      [[{ ...x, datatype: "FP16" }, n], /FP16/],
      [[x, n], /no output "z"/, { outputs: [{ name: "z" }] }],
      [
        [x, n],
        /leave out classification|no classes/,
        { outputs: [{ name: "x", parameters: { classification: 2 } }] },
      ],
    ];
    for (const [tensors, sentence, more = {}] of cases)
      assert.match(refusalOf(body({ inputs: tensors, ...more }), inputs), sentence);
  });

  test("a number that is not finite goes out in binary, and not in JSON", () => {
    const description = { name: "x", datatype: "FP32" as const, shape: [1] };
    const tail = Buffer.from(Float32Array.of(Infinity).buffer);
    const ask = (binary: boolean) =>
      given(
        body(
          {
            inputs: [{ name: "x", datatype: "FP32", shape: [1], parameters: { binary_data_size: 4 } }],
            parameters: { binary_data_output: binary },
          },
          tail,
        ),
        [description],
      );
    const json = ask(false);
    const refused = writeTensors(json.described, json.request, json.request.inputs, "id");
    assert.match(refused.ok ? "" : refused.down.message, /not finite.*binary/);
    const binary = ask(true);
    const written = writeTensors(binary.described, binary.request, binary.request.inputs, "id");
    assert.ok(written.ok);
    assert.deepEqual(Buffer.from(written.value.body).subarray(written.value.inferenceHeader ?? 0), tail);
  });

  test("rows get each their part of every output, and outputs that are no rows go out as they are", () => {
    const described = describeModel(tensorModel({ inputs: [], outputs: [] }));
    const made: readonly NamedTensor[] = [
      { name: "scores", datatype: "FP64", shape: [2, 2], data: elementBytes("FP64", [1, 2, 3, 4]) },
      { name: "names", datatype: "BYTES", shape: [2], data: ["a", "b"] },
    ];
    const rows = writePlainTensors(described, made, 2, "id");
    assert.ok(rows.ok);
    assert.deepEqual(
      z.looseObject({ predictions: z.unknown() }).parse(JSON.parse(String(rows.value.body))).predictions,
      [
        { scores: [1, 2], names: "a" },
        { scores: [3, 4], names: "b" },
      ],
    );
    const whole = writePlainTensors(
      described,
      [{ name: "sum", datatype: "INT64", shape: [], data: elementBytes("INT64", [7]) }],
      2,
      "id",
    );
    assert.ok(whole.ok);
    assert.deepEqual(
      z.looseObject({ outputs: z.unknown() }).parse(JSON.parse(String(whole.value.body))).outputs,
      { sum: 7 },
    );
  });
});
