/** What the process of an engine is told and tells: tensors as they lie in binary, and faults as the engine's own words, which go no further. */
import * as z from "zod";
import { listOf, storedList, storedText } from "../../protocol/bound.ts";

/** Types of elements as ONNX Runtime for Node calls them. */
export const elementTypes = [
  ...(["float32", "float64", "bool", "string"] as const),
  ...(["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"] as const),
] as const;
export type ElementType = (typeof elementTypes)[number];

const tensorsMax = 10_000;
const dimensionsMax = 64;
const engineTensorSchema = z.object({
  name: storedText,
  type: z.enum(elementTypes),
  shape: listOf(z.int().nonnegative(), dimensionsMax),
  data: z.union([z.custom<Uint8Array>((value) => value instanceof Uint8Array), storedList(storedText)]),
});
export type EngineTensor = z.infer<typeof engineTensorSchema>;

const portSchema = z.object({
  name: storedText,
  /** Null of what is no tensor; a word of the engine's where it is of no type that is served. */
  type: storedText.nullable(),
  /** −1 where any length will do; null where the engine does not know. */
  shape: listOf(z.int(), dimensionsMax),
});
export type EnginePort = z.infer<typeof portSchema>;

export const engineRequestSchema = z.discriminatedUnion("kind", [
  z.object({ id: z.int(), kind: z.literal("load"), path: storedText }),
  z.object({
    id: z.int(),
    kind: z.literal("run"),
    inputs: listOf(engineTensorSchema, tensorsMax),
    outputs: listOf(storedText, tensorsMax),
  }),
]);
export type EngineRequest = z.infer<typeof engineRequestSchema>;

export const engineReplySchema = z.discriminatedUnion("kind", [
  z.object({
    id: z.int(),
    kind: z.literal("loaded"),
    inputs: listOf(portSchema, tensorsMax),
    outputs: listOf(portSchema, tensorsMax),
  }),
  z.object({ id: z.int(), kind: z.literal("ran"), outputs: listOf(engineTensorSchema, tensorsMax) }),
  /** There is no engine. */
  z.object({ id: z.int(), kind: z.literal("absent") }),
  z.object({ id: z.int(), kind: z.literal("failed"), words: storedText }),
]);
export type EngineReply = z.infer<typeof engineReplySchema>;

/** A message before it has its number. */
export type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;
