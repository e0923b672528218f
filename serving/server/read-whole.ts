/**
 * What a request asks of a model that is asked by tensors, as something to compute: for the Open Inference Protocol always, for rows where what
 * answers them is neither labels nor numbers. Null where it is a question of rows, as of any other model.
 */
import { fromRefusal, turnDown, type Reading } from "../protocol/http-refusal.ts";
import type { NamedTensor } from "../model/tensor.ts";
import type { ProgramFace } from "../model/program-face.ts";
import type { TensorFace } from "../model/served-model.ts";
import { fitColumns } from "../protocol/asked-columns.ts";
import type { AskedRows } from "../protocol/asked-rows.ts";
import type { DescribedModel } from "../protocol/described-model.ts";
import { describeTensor } from "../protocol/fit-tensors.ts";
import { readInvocation } from "../protocol/mlflow-request.ts";
import { readInvocationTensors } from "../protocol/mlflow-tensors.ts";
import { readPlain } from "../protocol/plain-request.ts";
import type { ParquetRows, RequestBody } from "../protocol/request-body.ts";
import { answerNumbersMax } from "../protocol/serving-limit.ts";
import { readTensorRequest } from "../protocol/tensor-request.ts";
import { writeInvocationTensors, writePlainTensors, writeTensors } from "../protocol/tensor-answer.ts";
import type { WrittenAnswer } from "../protocol/written-answer.ts";
import type { AskingRoute } from "./route.ts";

export interface WholeAsked {
  readonly rows: number;
  readonly compute: (answerId: string) => Promise<Reading<WrittenAnswer>>;
}

export function readWhole(
  { kind }: AskingRoute,
  body: RequestBody,
  described: DescribedModel,
): Reading<WholeAsked> | null {
  const { parquet } = body;
  if (parquet !== undefined) return parquet.ok ? readWholeRows(parquet.value, described) : null;
  const { program, tensors } = described.model;
  if (program !== undefined) return forwarded(kind, body, described, program);
  if (tensors === undefined) return null;
  if (kind === "infer") return readInferWhole(body, described, tensors);
  if (tensors.rowAnswers === "labels" || tensors.rowAnswers === "values") return null;
  if (tensors.rowAnswers === "tensors")
    return kind === "plain"
      ? rowsWhole(readPlainRows(body, described), described, tensors, writePlainTensors)
      : rowsWhole(readInvocation(body, described), described, tensors, writeInvocationTensors);
  if (kind === "plain")
    return turnDown(
      400,
      `${described.reference} takes tensors, not rows: ${tensors.inputs.map(describeTensor).join(", ")}; ask it by the Open Inference Protocol`,
    );
  const inputs = readInvocationTensors(body, described);
  if (!inputs.ok) return inputs;
  return asked(described, tensors, inputs.value, null, (made) => writeInvocationTensors(described, made));
}

/** Rows that were read already, for MLflow's protocol; null where they are a question of rows as of any other model. */
function readWholeRows(
  { columns, count }: ParquetRows,
  described: DescribedModel,
): Reading<WholeAsked> | null {
  const { model, reference } = described;
  if (model.program !== undefined) return turnDown(415, `${reference} reads JSON alone`);
  const { tensors } = model;
  if (tensors === undefined || tensors.rowAnswers === "labels" || tensors.rowAnswers === "values")
    return null;
  if (tensors.rowAnswers === null)
    return turnDown(415, `${reference} takes tensors, and Parquet has none; send JSON`);
  const rows = fitColumns(described, count, columns);
  return rowsWhole(rows, described, tensors, writeInvocationTensors);
}

/** The program knows its model by one name, whichever version was asked for. */
function forwarded(
  kind: AskingRoute["kind"],
  { bytes, charset, contentType, inferenceHeader }: RequestBody,
  { model: { model } }: DescribedModel,
  program: ProgramFace,
): Reading<WholeAsked> {
  const path = {
    infer: `/v2/models/${encodeURIComponent(model)}/infer`,
    invocation: "/invocations",
    plain: "/predict",
  }[kind];
  const type = contentType ?? "application/json";
  const request = {
    ...{ path, inferenceHeader, body: bytes },
    contentType: charset === null ? type : `${type}; charset=${charset}`,
  };
  const compute = async (): Promise<Reading<WrittenAnswer>> => {
    const answer = await program.forward(request);
    return answer.ok
      ? { ok: true, value: { ...answer.value, isAscii: false } }
      : { ok: false, down: fromRefusal(answer.refusal) };
  };
  return { ok: true, value: { rows: 1, compute } };
}

function readInferWhole(body: RequestBody, described: DescribedModel, face: TensorFace): Reading<WholeAsked> {
  const request = readTensorRequest(body, described);
  if (!request.ok) return request;
  const { inputs, outputs } = request.value;
  const names = outputs.map(({ name }) => name);
  return asked(described, face, inputs, names, (made, answerId) =>
    writeTensors(described, request.value, made, answerId),
  );
}

function readPlainRows(body: RequestBody, described: DescribedModel): Reading<AskedRows> {
  const plain = readPlain(body, described);
  return plain.ok ? { ok: true, value: plain.value.rows } : plain;
}

function rowsWhole(
  rows: Reading<AskedRows>,
  described: DescribedModel,
  face: TensorFace,
  write: typeof writePlainTensors | typeof writeInvocationTensors,
): Reading<WholeAsked> {
  if (!rows.ok) return rows;
  const { value } = rows;
  const { count } = value;
  const columns =
    value.kind === "table" ? value.rows.columns : new Map([[described.textInput ?? "", value.texts]]);
  return asked(described, face, face.ofRows({ count, columns }), null, (made, answerId) =>
    write(described, made, count, answerId),
  );
}

/** `names`: of the outputs that are wanted; null for all. */
function asked(
  described: DescribedModel,
  face: TensorFace,
  inputs: readonly NamedTensor[],
  names: readonly string[] | null,
  write: (made: readonly NamedTensor[], answerId: string) => Reading<WrittenAnswer>,
): Reading<WholeAsked> {
  const wanted = names ?? face.outputs.map(({ name }) => name);
  const rows = inputs[0]?.shape[0] ?? 1;
  const compute = async (answerId: string): Promise<Reading<WrittenAnswer>> => {
    const made = await face.run(inputs, wanted);
    if (!made.ok) return { ok: false, down: fromRefusal(made.refusal) };
    const size = made.value.reduce((sum, { data }) => sum + data.length, 0);
    return size > answerNumbersMax * largestElementBytes
      ? turnDown(
          413,
          `the answer of ${described.reference} has ${size} bytes; ask for fewer rows or fewer outputs at once`,
        )
      : write(made.value, answerId);
  };
  return { ok: true, value: { rows, compute } };
}

const largestElementBytes = 8;
