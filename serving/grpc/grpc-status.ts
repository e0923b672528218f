/** Refusals as gRPC says them: a number of its own (grpc.io, "Status codes") and a sentence in what HTTP/2 may carry. */
import type { HttpRefusal, RefusalStatus } from "../protocol/http-refusal.ts";

export const grpcOk = 0;
const unimplemented = 12;
const codes: Readonly<Record<RefusalStatus, number>> = {
  ...{ 400: 3, 401: 16, 403: 7, 404: 5, 405: unimplemented, 408: 4, 411: 3, 413: 8, 415: 3 },
  ...{ 429: 8, 431: 8, 500: 13, 503: 14 },
};
const msPerSecond = 1_000;

/** `isMethod`: it is the method that is not there. */
export function refusalTrailers(
  { message, retryAfterSeconds, status }: HttpRefusal,
  isMethod = false,
): Readonly<Record<string, string>> {
  return {
    "grpc-status": String(isMethod ? unimplemented : codes[status]),
    "grpc-message": percentEncoded(message),
    ...(retryAfterSeconds === undefined
      ? {}
      : { "grpc-retry-pushback-ms": String(retryAfterSeconds * msPerSecond) }),
  };
}

/** Printable ASCII stands as it is, but for the sign itself. */
function percentEncoded(message: string): string {
  let text = "";
  for (const byte of Buffer.from(message, "utf8"))
    text +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return text;
}
