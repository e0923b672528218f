// Turns what the NATS client throws into BusError, the only error the rest of the program knows.
// Decides nothing; the callers say what a timeout means to them.

import { JetStreamApiCodes, JetStreamApiError, JetStreamError } from "@nats-io/jetstream";
import {
  AuthorizationError,
  ClosedConnectionError,
  DrainingConnectionError,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";

import { BusError } from "./bus.ts";

/** The status of an answer to a read where nothing is. */
const noMessageStatus = 404;

/** The server took the connection but not the user: wrong, expired or revoked credentials. */
export function isRefusedUser(error: unknown): boolean {
  if (error instanceof UserAuthenticationExpiredError) return true;
  // "authentication timeout" has the same class, but only says that one side was slow.
  if (error instanceof AuthorizationError) return !/timeout/i.test(error.message);
  return error instanceof Error && /authentication revoked/i.test(error.message);
}

/** What went wrong with a request to other clients on `subject`. Rethrows what is no failure of the bus. */
export function requestFailure(error: unknown, subject: string, timeoutMs: number): BusError {
  const cause = error instanceof RequestError && error.cause !== undefined ? error.cause : error;
  if (cause instanceof BusError) return cause;
  if (cause instanceof TimeoutError) {
    return new BusError("timeout", `No answer on ${subject} within ${timeoutMs} ms.`, { cause });
  }
  if (cause instanceof NoRespondersError) {
    return new BusError("no-responders", `Nobody listens on ${subject}.`, { cause });
  }
  if (cause instanceof PermissionViolationError) {
    return new BusError("denied", `This user may not ${verbOf(cause.operation)} ${cause.subject}.`, {
      cause,
    });
  }
  if (cause instanceof ClosedConnectionError || cause instanceof DrainingConnectionError) {
    return new BusError("closed", "The connection to the message server is closed.", { cause });
  }
  if (cause instanceof RequestError) {
    return new BusError("unavailable", `The connection went before ${subject} was answered.`, { cause });
  }
  throw error;
}

/** The server's answer to a read where nothing is. */
export function isNoMessage(error: unknown): boolean {
  return error instanceof JetStreamError && "code" in error && error.code === noMessageStatus;
}

/** What went wrong with a request to the stream layer of the server: here silence means `unavailable`. */
export function streamFailure(error: unknown, stream: string, timeoutMs: number): BusError {
  if (error instanceof BusError) return error;
  if (isNoStream(error)) return new BusError("no-stream", `There is no stream ${stream}.`, { cause: error });
  if (error instanceof JetStreamApiError) {
    // 5xx answers are of the moment (no leader yet, stream offline); 4xx are refusals.
    const kind = error.status >= 500 ? "unavailable" : "refused";
    if (/insufficient storage|no space left/i.test(error.message)) {
      const message = `The message server has too little disk for stream ${stream}; free some space there, then start it again.`;
      return new BusError(kind, message, { cause: error });
    }
    return new BusError(kind, `Stream ${stream}: ${error.message}.`, { cause: error });
  }
  if (error instanceof Error && error.name === "JetStreamNotEnabled") {
    return new BusError("unavailable", `The message server keeps no streams (stream ${stream}).`, {
      cause: error,
    });
  }
  const failure = requestFailure(error, stream, timeoutMs);
  if (failure.kind !== "timeout" && failure.kind !== "no-responders") return failure;
  return new BusError(
    "unavailable",
    `The message server did not answer about stream ${stream}; its disk may be full.`,
    {
      cause: error,
    },
  );
}

export function isNoStream(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

function verbOf(operation: "publish" | "subscription"): string {
  return operation === "publish" ? "publish on" : "subscribe to";
}
