/**
 * SERVE-22. One call of `inference.GRPCInferenceService`: which of the six methods, whether the caller may, the message, the lane, the answer. A
 * refusal is what the same request over HTTP is refused with.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { packageVersion } from "../../training/version/code-version.ts";
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";
import { platform } from "../server/model-metadata.ts";
import { InferCall, type CallContext } from "./infer-call.ts";
import { modelMessage, readNamed, serverMessage, yesMessage } from "./infer-message.ts";
import type { WireWriter } from "./proto-wire.ts";
import { receiveMessage } from "./receive-message.ts";
import { refuseCall, sendMessage } from "./send-message.ts";

const service = "/inference.GRPCInferenceService/";
/** Health is for whoever balances load, and needs no key. */
const keyless: readonly string[] = ["ServerLive", "ServerReady"];
const methods: readonly string[] = [
  ...keyless,
  ...["ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"],
];

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
