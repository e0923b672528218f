/**
 * How elements of the Open Inference Protocol's data types lie in binary: little-endian, row after row; a text is its length as UINT32 and its
 * bytes. Which types there are is the model's room to say.
 */
import { datatypes, isDatatype, type Datatype, type NumberDatatype } from "../model/tensor-datatype.ts";

export { datatypes, isDatatype, type Datatype, type NumberDatatype };

export const bytesOf: Readonly<Record<NumberDatatype, number>> = {
  ...{ BOOL: 1, UINT8: 1, UINT16: 2, UINT32: 4, UINT64: 8 },
  ...{ INT8: 1, INT16: 2, INT32: 4, INT64: 8, FP32: 4, FP64: 8 },
};

const integerRanges: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  ...{ UINT8: [0, 255], UINT16: [0, 65_535], UINT32: [0, 4_294_967_295], UINT64: [0, 2 ** 64] },
  ...{
    INT8: [-128, 127],
    INT16: [-32_768, 32_767],
    INT32: [-2_147_483_648, 2_147_483_647],
    INT64: [-(2 ** 63), 2 ** 63],
  },
};

/** Whether a number of JSON is one of the type's. */
export function fitsDatatype(value: number, datatype: NumberDatatype): boolean {
  const range = integerRanges[datatype];
  return range === undefined || (Number.isInteger(value) && value >= range[0] && value <= range[1]);
}

/** One element; whole numbers of 64 bits as the nearest number there is. */
export function numberAt(view: DataView, at: number, datatype: NumberDatatype): number | boolean {
  switch (datatype) {
    case "BOOL":
      return view.getUint8(at) !== 0;
    case "UINT8":
      return view.getUint8(at);
    case "UINT16":
      return view.getUint16(at, true);
    case "UINT32":
      return view.getUint32(at, true);
    case "UINT64":
      return Number(view.getBigUint64(at, true));
    case "INT8":
      return view.getInt8(at);
    case "INT16":
      return view.getInt16(at, true);
    case "INT32":
      return view.getInt32(at, true);
    case "INT64":
      return Number(view.getBigInt64(at, true));
    case "FP32":
      return view.getFloat32(at, true);
    case "FP64":
      return view.getFloat64(at, true);
  }
}
