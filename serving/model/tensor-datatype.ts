/** The data types of the Open Inference Protocol that are taken. FP16 and BF16 are not: nothing here asks for them, and JSON has none. */
export const datatypes = [
  "BOOL",
  ...(["UINT8", "UINT16", "UINT32", "UINT64"] as const),
  ...(["INT8", "INT16", "INT32", "INT64"] as const),
  ...(["FP32", "FP64", "BYTES"] as const),
] as const;
export type Datatype = (typeof datatypes)[number];
export type NumberDatatype = Exclude<Datatype, "BYTES">;

export function isDatatype(word: string): word is Datatype {
  return (datatypes as readonly string[]).includes(word);
}
