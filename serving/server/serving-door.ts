/**
 * SERVE-9, SERVE-10. The HTTP server: connections with bounds of size and time, and an end that answers what was asked. What is answered is
 * `answer-request.ts`; a line that is no HTTP gets a sentence here, in the same form.
 */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { HttpRefusal } from "../protocol/http-refusal.ts";
import { refusalJson } from "../protocol/refusal-form.ts";
import { answerRequest, type RequestContext } from "./answer-request.ts";
import { listen, urlOf, type ServingAddress, type ServingTls } from "./listen.ts";
import { ParquetReader } from "./parquet-body.ts";
import { connectionLimits, type ConnectionLimits } from "./connection-limit.ts";

export interface ServingDoorOptions extends Omit<RequestContext, "held" | "isOpen" | "parquet"> {
  readonly address: ServingAddress;
  /** Certificate and key, PEM; null for plain HTTP. */
  readonly tls: ServingTls | null;
  readonly limits?: ConnectionLimits;
}

export interface ServingDoor {
  readonly url: string;
  /** What connections from now on are shown. */
  readonly renewTls: (tls: ServingTls) => void;
  /** Takes no more connections, answers what was asked, and frees the models; `maxMs` later it cuts off what is left. */
  drain(maxMs: number): Promise<void>;
}

export async function openServingDoor(options: ServingDoorOptions): Promise<Outcome<ServingDoor>> {
  const { address, table, tls } = options;
  let isOpen = true;
  const context: RequestContext = {
    ...options,
    held: { bytes: 0 },
    parquet: new ParquetReader(),
    isOpen: () => isOpen,
  };
  const server = boundedServer(tls, options.limits ?? connectionLimits, (request, response) => {
    if (!isOpen) response.shouldKeepAlive = false;
    answerRequest(context, request, response);
  });
  const listening = await listen(server, address, "--listen");
  if (!listening.ok) return listening;
  return accept({
    url: urlOf(tls === null ? "http://" : "https://", { ...address, port: listening.value }),
    renewTls: (renewed) => {
      if (server instanceof TlsServer) server.setSecureContext(renewed);
    },
    drain: async (maxMs) => {
      isOpen = false;
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), maxMs);
      await closed;
      clearTimeout(late);
      await table.retireAll();
    },
  });
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function boundedServer(tls: ServingDoorOptions["tls"], limits: ConnectionLimits, listener: Listener): Server {
  const options = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMaxMs,
    requestTimeout: limits.requestMaxMs,
    // A timer of its own for the time between two requests would be set and cleared at each; silence ends a connection anyway.
    keepAliveTimeout: 0,
    connectionsCheckingInterval: limits.lookMs,
    noDelay: true,
    // A request without the header Host gets its answer, in our form.
    requireHostHeader: false,
  };
  const server =
    tls === null ? createServer(options, listener) : createTlsServer({ ...options, ...tls }, listener);
  server.maxConnections = limits.connectionsMax;
  server.setTimeout(limits.silenceMaxMs);
  server.on("clientError", refuseUnreadable);
  server.on("checkExpectation", listener);
  return server;
}

/** What is no request of HTTP, or came too slowly. */
function refuseUnreadable(fault: Error, socket: Duplex): void {
  const code = "code" in fault ? String(fault.code) : "";
  if (!socket.writable || code === "ECONNRESET") return void socket.destroy();
  const down = unreadable(code);
  const text = refusalJson(down, "open-inference");
  socket.end(
    [
      `HTTP/1.1 ${down.status} ${STATUS_CODES[down.status] ?? ""}`,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(text)}`,
      "connection: close",
      "",
      text,
    ].join("\r\n"),
  );
}

function unreadable(code: string): HttpRefusal {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: 431,
        message: `the headers are too large; a request has at most ${connectionLimits.headerBytesMax} bytes of them`,
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, message: "the request came too slowly and was not heard to its end" };
    case "HPE_INVALID_METHOD":
      return { status: 400, message: "the method is none of HTTP's" };
    default:
      return { status: 400, message: "what came is not a request of HTTP/1.1" };
  }
}
