/**
 * SERVE-22. One call of `inference.GRPCInferenceService`: which of the six methods, whether the caller may, the message, the lane, the answer. A
 * refusal is what the same request over HTTP is refused with.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { packageVersion } from "../../training/version/code-version.ts";
import { observe } from "../batch/histogram.ts";
import type { Lane } from "../batch/lane.ts";
import type { Answers } from "../model/served-model.ts";
import { quoted, turnDown, type HttpRefusal, type Reading } from "../protocol/http-refusal.ts";
import { outputTensor } from "../protocol/infer-answer.ts";
import { readSent, type InferRequest } from "../protocol/infer-request.ts";
import { largeAnswer, type RequestContext } from "../server/answer-request.ts";
import { platform } from "../server/model-metadata.ts";
import { refusalTrailers, grpcOk } from "./grpc-status.ts";
import {
  inferenceMessage,
  modelMessage,
  readInference,
  readNamed,
  serverMessage,
  yesMessage,
  type SentInference,
} from "./infer-message.ts";
import type { WireWriter } from "./proto-wire.ts";
import { receiveMessage } from "./receive-message.ts";

const service = "/inference.GRPCInferenceService/";
/** Health is for whoever balances load, and needs no key. */
const keyless: readonly string[] = ["ServerLive", "ServerReady"];
const methods: readonly string[] = [
  ...keyless,
  ...["ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"],
];
const headBytes = 5;

export type CallContext = Omit<RequestContext, "parquet">;

export function answerCall(
  context: CallContext,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  const path = String(headers[":path"] ?? "");
  const method = path.startsWith(service) ? path.slice(service.length) : "";
  if (headers[":method"] !== "POST" || !/^application\/grpc\b/u.test(headers["content-type"] ?? ""))
    return refuseCall(stream, turnDown(415, "this port is for gRPC; HTTP has another").down);
  if (!methods.includes(method))
    return refuseCall(
      stream,
      turnDown(404, `there is no ${quoted(path)} here; ${service.slice(1, -1)} has ${methods.join(", ")}`)
        .down,
      true,
    );
  const caller = callerOf(context, method, headers, stream);
  if (!caller.ok) return refuseCall(stream, caller.down);
  const encoding = headers["grpc-encoding"];
  const started = context.now();
  receiveMessage(stream, typeof encoding === "string" ? encoding : null, context.held, (message) => {
    // From here on it waits for us.
    stream.setTimeout(0);
    if (!message.ok) return refuseCall(stream, message.down);
    if (method === "ModelInfer")
      return new InferCall(context, stream, started, caller.value).read(message.value);
    const answer = answerOf(context, method, message.value);
    if (answer.ok) sendMessage(stream, answer.value);
    else refuseCall(stream, answer.down);
  });
}

function callerOf(
  { keys, now }: CallContext,
  method: string,
  { authorization }: IncomingHttpHeaders,
  { session }: ServerHttp2Stream,
): Reading<string | null> {
  if (keys === null || keyless.includes(method)) return { ok: true, value: null };
  return keys.admit(authorization ?? null, now(), method === "ModelInfer", session ?? {});
}

function answerOf({ isOpen, table }: CallContext, method: string, message: Buffer): Reading<WireWriter> {
  const yes = (isSo: boolean): Reading<WireWriter> => ({ ok: true, value: yesMessage(isSo) });
  if (method === "ServerLive") return yes(true);
  if (method === "ServerReady") return yes(isOpen() && table.places.length > 0);
  if (method === "ServerMetadata")
    return { ok: true, value: serverMessage(platform, packageVersion, ["classification"]) };
  const named = readNamed(message);
  if (!named.ok) return named;
  const { name, version } = named.value;
  const found = table.find(name, version === "" ? null : version);
  // Triton says that no model is not ready, and nothing of why.
  if (method === "ModelReady") return yes(found.ok && isOpen());
  if (!found.ok) return found;
  const { inputs, model, outputs } = found.value.described;
  const versions = table.places.flatMap(({ lane }) =>
    lane.described.model.model === name ? [String(lane.described.model.version)] : [],
  );
  const about = { name, versions, platform: `${platform}_${model.algorithm}`, inputs, outputs };
  return { ok: true, value: modelMessage(about) };
}

class InferCall {
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
    if (found.ok && isOfRows(found.value)) this.#ask(found.value, read.value);
    else if (found.ok) this.#refuse(found.value, notHere(found.value), true);
    else refuseCall(this.#stream, found.down);
  }

  #ask(lane: Lane, { sent, tail }: SentInference): void {
    const { described } = lane;
    lane.counters.inProgress++;
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

  #answer(lane: Lane, { id, outputs, rows }: InferRequest, answers: Answers): void {
    const { described } = lane;
    const { digest, model, version } = described.model;
    const answerId = described.answerHead + this.#context.newId();
    const message = inferenceMessage({
      ...{ name: model, version: String(version), id, parameters: { digest, answer: answerId } },
      outputs: outputs.map((wanted) => outputTensor(described, wanted, rows.count, answers)),
    });
    sendMessage(this.#stream, message);
    lane.counters.success++;
    const ms = this.#leave(lane);
    this.#context.onAnswer?.({ lane, rows, answers, answerId, caller: this.#caller, ms });
  }

  /** `isNew`: it was not counted as begun. */
  #refuse(lane: Lane, down: HttpRefusal, isNew = false): void {
    refuseCall(this.#stream, down);
    if (isNew) lane.counters.inProgress++;
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

function isOfRows({ described: { model } }: Lane): boolean {
  return model.tensors === undefined && model.program === undefined;
}

function notHere({ described: { reference } }: Lane): HttpRefusal {
  return turnDown(400, `${reference} is what a program made, and is asked over HTTP alone`).down;
}

function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || stream.aborted;
}

const answerHeaders = { ":status": 200, "content-type": "application/grpc" };

/** Copied at once: what it has of the answers is written over. */
function sendMessage(stream: ServerHttp2Stream, { parts }: WireWriter): void {
  if (isGone(stream) || stream.headersSent) return;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(length, 1);
  stream.respond(answerHeaders, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(grpcOk) }));
  stream.end(Buffer.concat([head, ...parts]));
}

export function refuseCall(stream: ServerHttp2Stream, down: HttpRefusal, isMethod = false): void {
  if (isGone(stream) || stream.headersSent) return;
  stream.respond({ ...answerHeaders, ...refusalTrailers(down, isMethod) }, { endStream: true });
  // What is left of a message that was not read is not to be waited for.
  stream.resume();
}
