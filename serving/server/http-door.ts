/**
 * SERVE-10. A server of HTTP/1.1: connections with bounds of size and time, and an end that waits for what was asked. A line that is no HTTP gets its
 * sentence here. What is answered is for whoever opens it.
 */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import { Socket, type Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { HttpRefusal } from "../protocol/http-refusal.ts";
import { refusalJson } from "../protocol/refusal-form.ts";
import { connectionLimits, type ConnectionLimits } from "./connection-limit.ts";
import { answerKnock } from "./knock.ts";

export interface ServingAddress {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

export interface ServingTls {
  readonly cert: string;
  readonly key: string;
}

export interface HttpDoorOptions {
  readonly address: ServingAddress;
  /** Certificate and key, PEM; null for plain HTTP. */
  readonly tls: ServingTls | null;
  readonly limits?: ConnectionLimits;
  /** Whoever connects says it first: see `knock.ts`. */
  readonly secret?: Buffer | undefined;
  readonly listener: Listener;
}

export interface HttpDoor {
  readonly url: string;
  readonly port: number;
  /** What connections from now on are shown. */
  readonly renewTls: (tls: ServingTls) => void;
  /** Takes no more connections, and resolves when all are closed; `maxMs` later it cuts off what is left. */
  close(maxMs: number): Promise<void>;
}

export async function openHttpDoor(options: HttpDoorOptions): Promise<Outcome<HttpDoor>> {
  const { address, listener, secret, tls } = options;
  const server = boundedServer(tls, options.limits ?? connectionLimits, listener);
  if (secret !== undefined) keepFromStrangers(server, secret);
  const listening = await listen(server, address);
  if (!listening.ok) return listening;
  return accept({
    port: listening.value,
    url: `${tls === null ? "http" : "https"}://${hostText(address.host)}:${listening.value}`,
    renewTls: (renewed) => {
      if (server instanceof TlsServer) server.setSecureContext(renewed);
    },
    close: async (maxMs) => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), maxMs);
      await closed;
      clearTimeout(late);
    },
  });
}

/** A connection is the server's only past the knock. */
function keepFromStrangers(server: Server, secret: Buffer): void {
  const [takes] = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Duplex) => {
    if (takes === undefined || !(socket instanceof Socket)) return void socket.destroy();
    answerKnock(socket, secret, () => void takes.call(server, socket));
  });
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function boundedServer(tls: ServingTls | null, limits: ConnectionLimits, listener: Listener): Server {
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

/** The port that it got. `flag`: which one says another. */
export async function listen(
  server: NetServer,
  { host, port }: ServingAddress,
  flag = "--listen",
): Promise<Outcome<number>> {
  const fault = await new Promise<Error | null>((resolve) => {
    server.once("error", resolve);
    server.listen(port, host, () => resolve(null));
  });
  if (fault !== null)
    return refuse("unavailable", `${hostText(host)}:${port} cannot be listened on: ${whyNot(fault, flag)}`);
  // A connection that could not be taken, for want of descriptors, is the caller's loss.
  server.on("error", () => undefined);
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("broken invariant: a server without a port");
  return accept(address.port);
}

function whyNot(fault: Error, flag: string): string {
  switch ("code" in fault ? fault.code : "") {
    case "EADDRINUSE":
      return `another program listens there; choose another with ${flag}`;
    case "EACCES":
      return "this user may not; ports from 1024 up are for everybody";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "ENOTFOUND":
      return "there is no such host";
    default:
      return "the system refused";
  }
}

export function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
