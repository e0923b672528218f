/**
 * Requests of every protocol that callers of a gateway speak, each of texts of its own, and whether an answer is that request's: by its id where the protocol
 * has one, and by what the version that answered says of just those texts.
 */
import assert from "node:assert/strict";
import * as z from "zod";

export interface HeardAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Buffer;
}

export interface MixedRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** Throws where it is no answer to it. */
  readonly check: (answer: HeardAnswer) => void;
}

export interface AskedModel {
  /** Under which it is asked. */
  readonly name: string;
  readonly labels: readonly string[];
  /** Probabilities of the labels. */
  readonly answerOf: (text: string, version: number) => readonly number[];
}

interface Asked extends AskedModel {
  readonly texts: readonly string[];
  readonly id: string;
}

export const mixedKinds = ["plain", "texts", "json", "binary", "invocation"] as const;
export type MixedKind = (typeof mixedKinds)[number];

const rowSchema = z.looseObject({ probabilities: z.record(z.string(), z.number()) });
const rowsSchema = z.looseObject({ predictions: z.array(rowSchema) });
const inferSchema = z.looseObject({
  id: z.string(),
  outputs: z.array(z.looseObject({ name: z.string(), data: z.array(z.unknown()).optional() })),
});

export function mixedRequest(
  kind: MixedKind,
  texts: readonly string[],
  id: string,
  model: AskedModel,
): MixedRequest {
  return makers[kind]({ ...model, texts, id });
}

const makers: Readonly<Record<MixedKind, (asked: Asked) => MixedRequest>> = {
  plain: (asked) => ({
    ...{ path: `/predict/${asked.name}`, headers: {}, body: json({ text: asked.texts[0] }) },
    check: (answer) => same(asked, answer, numbersOf(asked, [rowSchema.parse(valueOf(answer.bytes))]), 1),
  }),
  texts: (asked) => ({
    ...{ path: `/predict/${asked.name}`, headers: {}, body: json({ texts: asked.texts }) },
    check: (answer) =>
      same(asked, answer, numbersOf(asked, rowsSchema.parse(valueOf(answer.bytes)).predictions)),
  }),
  json: (asked) => {
    const { id, name, texts } = asked;
    const inputs = [{ name: "text", datatype: "BYTES", shape: [texts.length], data: texts }];
    return {
      path: `/v2/models/${name}/infer`,
      headers: { "content-type": "application/json" },
      body: json({ id, inputs }),
      check: (answer) => {
        const parsed = inferSchema.parse(valueOf(answer.bytes));
        assert.equal(parsed.id, id);
        const given = parsed.outputs.find((one) => one.name === "probabilities")?.data;
        same(asked, answer, z.array(z.number()).parse(given));
      },
    };
  },
  binary: binaryRequest,
  invocation: (asked) => ({
    path: "/invocations",
    headers: { "content-type": "application/json" },
    body: json({ dataframe_records: asked.texts.map((text) => ({ text })) }),
    check: (answer) =>
      same(asked, answer, numbersOf(asked, rowsSchema.parse(valueOf(answer.bytes)).predictions)),
  }),
};

function binaryRequest(asked: Asked): MixedRequest {
  const { id, name, texts } = asked;
  const tail = Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
  const parameters = { binary_data_size: tail.length };
  const head = json({
    ...{ id, parameters: { binary_data_output: true } },
    inputs: [{ name: "text", datatype: "BYTES", shape: [texts.length], parameters }],
    outputs: [{ name: "probabilities", parameters: { binary_data: true } }],
  });
  return {
    path: `/v2/models/${name}/infer`,
    headers: { "inference-header-content-length": String(head.length) },
    body: Buffer.concat([head, tail]),
    check: (answer) => {
      const length = Number(answer.headers["inference-header-content-length"]);
      assert.equal(inferSchema.parse(valueOf(answer.bytes.subarray(0, length))).id, id);
      const data = answer.bytes.subarray(length);
      same(
        asked,
        answer,
        Array.from({ length: data.length / 4 }, (_, at) => data.readFloatLE(4 * at)),
      );
    },
  };
}

function same(
  { answerOf, id, texts }: Asked,
  { headers }: HeardAnswer,
  given: readonly number[],
  count = texts.length,
): void {
  const version = versionOf({ headers });
  const right = texts.slice(0, count).flatMap((text) => answerOf(text, version));
  assert.deepEqual(given.map(Math.fround), right.map(Math.fround), `an answer to another request than ${id}`);
}

/** The one that gave an answer, by the answer's id. */
export function versionOf({ headers }: Pick<HeardAnswer, "headers">): number {
  return Number(/@(\d+)~/.exec(String(headers["x-trialmesh-answer"]))?.[1]);
}

function numbersOf({ labels }: Asked, rows: readonly z.infer<typeof rowSchema>[]): number[] {
  return rows.flatMap(({ probabilities }) => labels.map((label) => probabilities[label] ?? -1));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function valueOf(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString("utf8"));
}
