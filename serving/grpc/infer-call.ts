/**
 * SERVE-22. A call of `ModelInfer` from its message to its answer: the lane, the rows or tensors, the outputs. What is wrong with it is said as over
 * HTTP, and it is counted with requests.
 */
import type { ServerHttp2Stream } from "node:http2";
import { observe } from "../batch/histogram.ts";
import type { Lane } from "../batch/lane.ts";
import type { Answers, TensorFace } from "../model/served-model.ts";
import { fromRefusal, turnDown, type HttpRefusal, type Reading } from "../protocol/http-refusal.ts";
import { outputTensor, type OutputTensor } from "../protocol/infer-answer.ts";
import { readSent, type InferRequest } from "../protocol/infer-request.ts";
import { answerNumbersMax } from "../protocol/serving-limit.ts";
import { tensorTail } from "../protocol/tensor-answer.ts";
import { readSentTensors } from "../protocol/tensor-request.ts";
import type { WrittenAnswer } from "../protocol/written-answer.ts";
import { largeAnswer, type RequestContext } from "../server/answer-request.ts";
import { inferenceMessage, readInference, type SentInference } from "./infer-message.ts";
import type { WireWriter } from "./proto-wire.ts";
import { isGone, refuseCall, sendBytes, sendMessage } from "./send-message.ts";

/** Of one answer of tensors. */
const answerBytesMax = 8 * answerNumbersMax;

export type CallContext = Omit<RequestContext, "parquet">;

export class InferCall {
  readonly #context: CallContext;
  readonly #stream: ServerHttp2Stream;
  readonly #started: number;
  readonly #caller: string | null;

  constructor(context: CallContext, stream: ServerHttp2Stream, started: number, caller: string | null) {
    this.#context = context;
    this.#stream = stream;
    this.#started = started;
    this.#caller = caller;
  }

  read(message: Buffer): void {
    const read = readInference(message);
    if (!read.ok) return refuseCall(this.#stream, read.down);
    const { name, version } = read.value;
    const found = this.#context.table.find(name, version === "" ? null : version);
    if (found.ok) this.#ask(found.value, read.value);
    else refuseCall(this.#stream, found.down);
  }

  #ask(lane: Lane, { sent, tail }: Pick<SentInference, "sent" | "tail">): void {
    const { described } = lane;
    const { program, tensors } = described.model;
    lane.counters.inProgress++;
    if (program !== undefined) return this.#refuse(lane, notHere(lane));
    if (tensors !== undefined) return this.#askTensors(lane, { sent, tail }, tensors);
    const asked = readSent(sent, tail, described);
    if (!asked.ok) return this.#refuse(lane, asked.down);
    const { rows } = asked.value;
    const large = largeAnswer(rows.count, described);
    if (large !== null) return this.#refuse(lane, large);
    const full = lane.ask({
      rows,
      bytes: tail?.length ?? 0,
      isGone: () => isGone(this.#stream),
      onGone: () => void this.#leave(lane),
      done: (answers) => {
        if (answers.ok) this.#answer(lane, asked.value, answers.value);
        else this.#refuse(lane, answers.down);
      },
    });
    if (full !== null) this.#refuse(lane, full);
  }

  /** Of a model that is asked by tensors of its own: past the lane's batches, in the same bounds. */
  #askTensors(lane: Lane, { sent, tail }: Pick<SentInference, "sent" | "tail">, face: TensorFace): void {
    const asked = readSentTensors(sent, tail, lane.described);
    if (!asked.ok) return this.#refuse(lane, asked.down);
    const { inputs, outputs, id } = asked.value;
    const compute = async (): Promise<Reading<WrittenAnswer>> => {
      const made = await face.run(
        inputs,
        outputs.map(({ name }) => name),
      );
      if (!made.ok) return { ok: false, down: fromRefusal(made.refusal) };
      const message = this.#message(
        lane,
        id,
        made.value.map((tensor) => ({ ...tensor, parts: [tensorTail(tensor)] })),
      );
      const body = Buffer.concat(message.parts);
      if (body.length > answerBytesMax)
        return turnDown(
          413,
          `the answer has ${body.length} bytes; ask for fewer rows or fewer outputs at once`,
        );
      return {
        ok: true,
        value: { contentType: "application/grpc", body, isAscii: false, inferenceHeader: null },
      };
    };
    const full = lane.askWhole({
      ...{ rows: inputs[0]?.shape[0] ?? 1, bytes: tail?.length ?? 0, compute },
      isGone: () => isGone(this.#stream),
      onGone: () => void this.#leave(lane),
      done: (answer) => {
        if (!answer.ok) return this.#refuse(lane, answer.down);
        sendBytes(this.#stream, Buffer.from(answer.value.body));
        lane.counters.success++;
        this.#leave(lane);
      },
    });
    if (full !== null) this.#refuse(lane, full);
  }

  #message(
    lane: Lane,
    id: string | null,
    outputs: readonly OutputTensor[],
    answerId = this.#newId(lane),
  ): WireWriter {
    const { digest, model, version } = lane.described.model;
    const parameters = { digest, answer: answerId };
    return inferenceMessage({ name: model, version: String(version), id, parameters, outputs });
  }

  #newId(lane: Lane): string {
    return lane.described.answerHead + this.#context.newId();
  }

  #answer(lane: Lane, { id, outputs, rows }: InferRequest, answers: Answers): void {
    const { described } = lane;
    const answerId = this.#newId(lane);
    const given = outputs.map((wanted) => outputTensor(described, wanted, rows.count, answers));
    sendMessage(this.#stream, this.#message(lane, id, given, answerId));
    lane.counters.success++;
    const ms = this.#leave(lane);
    this.#context.onAnswer?.({ lane, rows, answers, answerId, caller: this.#caller, ms });
  }

  #refuse(lane: Lane, down: HttpRefusal): void {
    refuseCall(this.#stream, down);
    lane.counters.failure++;
    this.#leave(lane);
  }

  #leave({ counters }: Lane): number {
    const ms = this.#context.now() - this.#started;
    counters.inProgress--;
    observe(counters.seconds, ms / 1_000);
    return ms;
  }
}

function notHere({ described: { reference } }: Lane): HttpRefusal {
  return turnDown(400, `${reference} is answered with by its own program, which is asked over HTTP alone`)
    .down;
}
