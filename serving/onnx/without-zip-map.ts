/**
 * An ONNX classifier whose probabilities are a list of maps, as skl2onnx writes them unless it is told otherwise, with the tensor that the maps
 * are made of in their place: no engine here gives maps, and a map for each row is of use to nobody who asks over HTTP. Everything else stays
 * byte for byte.
 */
import { bytesField, piecesField, textField, varintField } from "../../training/tensor/protobuf.ts";
import type { ZipMap } from "./read-onnx.ts";
import { wireFields } from "./wire-field.ts";

/** ONNX's TensorProto.DataType FLOAT. */
const float32 = 1;

/** The file's bytes in pieces. `message`: one that `readOnnx` has read. `classes`: how many there are, where that is known. */
export function withoutZipMaps(
  message: Uint8Array,
  zipMaps: readonly ZipMap[],
  classes: number | null,
): Uint8Array[] {
  return [...wireFields(message)].flatMap(({ bytes, end, field, start }) =>
    field === 7 && bytes !== null
      ? piecesField(7, withoutInGraph(bytes, zipMaps, classes))
      : [message.subarray(start, end)],
  );
}

function withoutInGraph(graph: Uint8Array, zipMaps: readonly ZipMap[], classes: number | null): Uint8Array[] {
  const made = new Map(zipMaps.map(({ input, output }) => [output, input]));
  return [...wireFields(graph)].map(({ bytes, end, field, start }) => {
    const whole = graph.subarray(start, end);
    if (bytes === null) return whole;
    if (field === 1) {
      const output = firstText(bytes, 2);
      const input = output === null ? undefined : made.get(output);
      return input === undefined || output === null ? whole : bytesField(1, identity(input, output));
    }
    if (field !== 12) return whole;
    const name = firstText(bytes, 1);
    return name !== null && made.has(name) ? bytesField(12, floatOutput(name, classes)) : whole;
  });
}

function identity(input: string, output: string): Buffer {
  return Buffer.concat([
    textField(1, input),
    textField(2, output),
    textField(3, `${output}.tensor`),
    textField(4, "Identity"),
  ]);
}

/** Rows by classes; of a shape that the engine finds out where those are not known. */
function floatOutput(name: string, classes: number | null): Buffer {
  const shape =
    classes === null
      ? []
      : [
          bytesField(
            2,
            Buffer.concat([bytesField(1, new Uint8Array()), bytesField(1, varintField(1, classes))]),
          ),
        ];
  const tensor = Buffer.concat([varintField(1, float32), ...shape]);
  return Buffer.concat([textField(1, name), bytesField(2, bytesField(1, tensor))]);
}

function firstText(message: Uint8Array, wanted: number): string | null {
  for (const { bytes, field } of wireFields(message))
    if (field === wanted && bytes !== null) return new TextDecoder().decode(bytes);
  return null;
}
