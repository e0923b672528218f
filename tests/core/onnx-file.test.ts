/** The bytes of an exported ONNX model, read again by the protocol's own rules: every field where onnx.proto has it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { modelGraph } from "../../serving/export/graph/model-graph.ts";
import { TensorGraphBuilder } from "../../serving/export/graph/tensor-graph.ts";
import { onnxFile } from "../../serving/export/onnx/onnx-file.ts";
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { caseName, modelCases, trainedModel } from "../support/model-case.ts";

type Field = readonly [field: number, value: number | Buffer];

/** One message's fields in their order; a length beyond the message throws. */
function fieldsOf(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [key >> 3, key & 7];
    assert.ok(wire === 0 || wire === 2, `wire type ${wire}`);
    if (wire === 0) {
      fields.push([field, varint()]);
      continue;
    }
    const length = varint();
    assert.ok(at + length <= bytes.length, "a length within its message");
    fields.push([field, bytes.subarray(at, at + length)]);
    at += length;
  }
  return fields;
}

const bytesAt = (message: Buffer, wanted: number): readonly Buffer[] =>
  fieldsOf(message).flatMap(([field, value]) =>
    field === wanted && typeof value !== "number" ? [value] : [],
  );
const numbersAt = (message: Buffer, wanted: number): readonly number[] =>
  fieldsOf(message).flatMap(([field, value]) =>
    field === wanted && typeof value === "number" ? [value] : [],
  );
const textsAt = (message: Buffer, wanted: number) =>
  bytesAt(message, wanted).map((text) => text.toString("utf8"));

const about = { name: "tried", producerVersion: "1", description: "", metadata: { model: "tried" } };

function graphIn(pieces: readonly Uint8Array[]): Buffer {
  const file = Buffer.concat(pieces);
  assert.deepEqual(numbersAt(file, 1), [8], "ir_version");
  const [opset] = bytesAt(file, 8);
  assert.deepEqual(
    [textsAt(opset ?? Buffer.alloc(0), 1), numbersAt(opset ?? Buffer.alloc(0), 2)],
    [[""], [17]],
  );
  assert.deepEqual(textsAt(file, 2), ["trialmesh"]);
  const [graph, ...more] = bytesAt(file, 7);
  assert.ok(graph !== undefined && more.length === 0);
  return graph;
}

for (const one of modelCases)
  test(`MODEL-6: the ONNX graph of ${caseName(one)} reads nothing before it is there, and holds each tensor whole`, async () => {
    const { bytes } = await trainedModel(one);
    const checkpoint = decodeCheckpoint(bytes);
    assert.ok(checkpoint.ok);
    const made = modelGraph(checkpoint.value, bytes);
    assert.ok(made.ok);
    const graph = graphIn(onnxFile(made.value, about));
    const there = new Set(bytesAt(graph, 11).flatMap((input) => textsAt(input, 1)));
    for (const tensor of bytesAt(graph, 5)) {
      const size = numbersAt(tensor, 1).reduce((product, length) => product * length, 1);
      const width =
        new Map([
          [1, 4],
          [6, 4],
          [7, 8],
          [11, 8],
        ]).get(numbersAt(tensor, 2)[0] ?? 0) ?? 0;
      const [name = ""] = textsAt(tensor, 8);
      assert.equal(bytesAt(tensor, 9)[0]?.length, size * width, `raw_data of ${name}`);
      assert.ok(!there.has(name), `${name} stands once`);
      there.add(name);
    }
    for (const node of bytesAt(graph, 1)) {
      for (const input of textsAt(node, 1)) assert.ok(there.has(input), `${input} is there`);
      for (const output of textsAt(node, 2)) {
        assert.ok(!there.has(output), `${output} is made once`);
        there.add(output);
      }
    }
    const outputs = bytesAt(graph, 12).flatMap((output) => textsAt(output, 1));
    assert.deepEqual(outputs, [one.regression === true ? "values" : "probabilities"]);
    for (const output of outputs) assert.ok(there.has(output));
  });

test("MODEL-6: whatever the shapes and numbers, what is written is what is read", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 300 }),
      fc.array(fc.integer({ min: -1, max: 2 ** 31 }), { minLength: 1, maxLength: 4 }),
      (numbers, shape) => {
        const builder = new TensorGraphBuilder();
        const x = builder.input("x", "float32", ["batch", numbers.length]);
        const data = Float32Array.from(numbers);
        const sum = builder.node({ op: "Add" }, x, builder.weight("w", { shape: [numbers.length], data }));
        const made = builder.finish(builder.node({ op: "Reshape", shape }, sum), "y", ["batch"]);
        const graph = graphIn(onnxFile(made, about));
        const tensors = new Map(bytesAt(graph, 5).map((tensor) => [textsAt(tensor, 8)[0], tensor]));
        const raw = bytesAt(tensors.get("w") ?? Buffer.alloc(0), 9)[0] ?? Buffer.alloc(0);
        assert.deepEqual([...new Float32Array(Uint8Array.from(raw).buffer)], [...data]);
        const ints =
          bytesAt(tensors.get(`ints.${shape.join(",")}`) ?? Buffer.alloc(0), 9)[0] ?? Buffer.alloc(0);
        assert.deepEqual(
          shape.map((_, at) => Number(ints.readBigInt64LE(8 * at))),
          shape,
        );
      },
    ),
  );
});
