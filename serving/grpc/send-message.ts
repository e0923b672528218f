/** What goes out of a call: one message and its status, or a refusal. Nothing where nobody is there to hear it. */
import type { ServerHttp2Stream } from "node:http2";
import type { HttpRefusal } from "../protocol/http-refusal.ts";
import { grpcOk, refusalTrailers } from "./grpc-status.ts";
import type { WireWriter } from "./proto-wire.ts";

const headBytes = 5;

export function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || stream.aborted;
}

const answerHeaders = { ":status": 200, "content-type": "application/grpc" };

/** Copied at once: what it has of the answers is written over. */
export function sendMessage(stream: ServerHttp2Stream, { parts }: WireWriter): void {
  sendBytes(stream, Buffer.concat(parts));
}

export function sendBytes(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (isGone(stream) || stream.headersSent) return;
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(message.length, 1);
  stream.respond(answerHeaders, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(grpcOk) }));
  stream.end(Buffer.concat([head, message]));
}

export function refuseCall(stream: ServerHttp2Stream, down: HttpRefusal, isMethod = false): void {
  if (isGone(stream) || stream.headersSent) return;
  stream.respond({ ...answerHeaders, ...refusalTrailers(down, isMethod) }, { endStream: true });
  // What is left of a message that was not read is not to be waited for.
  stream.resume();
}
