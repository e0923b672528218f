/**
 * SERVE-22. The server of gRPC, which is HTTP/2 of Node's own: connections with bounds of size, number and time, and an end that answers what was asked.
 * What is answered is `grpc-call.ts`.
 */
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from "node:http2";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { RequestContext } from "../server/answer-request.ts";
import { connectionLimits, type ConnectionLimits } from "../server/connection-limit.ts";
import { hostText, listen, type ServingAddress, type ServingTls } from "../server/http-door.ts";
import { turnDown } from "../protocol/http-refusal.ts";
import { answerCall } from "./grpc-call.ts";
import { refuseCall } from "./send-message.ts";

/** Calls of one connection at once. */
const streamsMax = 256;
/** Of what one connection has not been given or taken yet; beyond it new calls are turned away. */
const sessionMemoryMiB = 64;

export interface GrpcDoorOptions extends Omit<RequestContext, "held" | "isOpen" | "parquet"> {
  readonly address: ServingAddress;
  readonly tls: ServingTls | null;
  readonly limits?: ConnectionLimits;
}

export interface GrpcDoor {
  /** `host:port`, as clients are given it. */
  readonly address: string;
  readonly renewTls: (tls: ServingTls) => void;
  /** Takes no more calls and answers those that were made; `maxMs` later it cuts off what is left. Models are others'. */
  drain(maxMs: number): Promise<void>;
}

export async function openGrpcDoor(options: GrpcDoorOptions): Promise<Outcome<GrpcDoor>> {
  const { address, limits = connectionLimits, tls } = options;
  let isOpen = true;
  const context = { ...options, held: { bytes: 0 }, isOpen: () => isOpen };
  const sessions = new Set<ServerHttp2Session>();
  const server = boundedServer(tls, limits);
  server.on("session", (session) => {
    if (sessions.size >= limits.connectionsMax) return session.destroy();
    sessions.add(session);
    session.setTimeout(limits.silenceMaxMs, () => {
      session.close();
      // Who does not read an answer would stay for ever.
      setTimeout(() => session.destroy(), limits.requestMaxMs).unref();
    });
    session.on("error", () => session.destroy());
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    stream.setTimeout(limits.requestMaxMs, () =>
      refuseCall(stream, turnDown(408, "the call came too slowly and was not heard to its end").down),
    );
    answerCall(context, stream, headers);
  });
  const listening = await listen(server, address, "--grpc");
  if (!listening.ok) return listening;
  return accept({
    address: `${hostText(address.host)}:${listening.value}`,
    renewTls: (renewed) => {
      if ("setSecureContext" in server) server.setSecureContext(renewed);
    },
    drain: async (maxMs) => {
      isOpen = false;
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const session of sessions) session.close();
      const late = setTimeout(() => {
        for (const session of sessions) session.destroy();
      }, maxMs);
      await closed;
      clearTimeout(late);
    },
  });
}

function boundedServer(tls: ServingTls | null, limits: ConnectionLimits): Http2Server | Http2SecureServer {
  const options = {
    maxSessionMemory: sessionMemoryMiB,
    settings: {
      maxConcurrentStreams: streamsMax,
      maxHeaderListSize: limits.headerBytesMax,
      enablePush: false,
    },
  };
  return tls === null ? createServer(options) : createSecureServer({ ...options, ...tls });
}
