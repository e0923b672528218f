/**
 * Ports of this machine: whether one is free, and who greets on it. Not the server that will serve there.
 */
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import * as z from "zod";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import { busTls, type ServerTrust } from "./server-trust.ts";
import { systemCode } from "../system/system-error.ts";

export const portMax = 65_535;

const probeTimeoutMs = 1_000;
/** TLS takes some computing of either side. */
const tlsProbeTimeoutMs = 5_000;

/** The port itself, or a free one for 0; refuses one that is taken. */
export function claimPort(host: string, port: number): Promise<Outcome<number>> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", (error) => done(refusePort(error, host, port)));
    probe.listen({ host, port, exclusive: true }, () => {
      const address = z.object({ port: z.number() }).parse(probe.address());
      probe.close(() => done(accept(address.port)));
    });
  });
}

export function refusePort(error: unknown, host: string, port: number): Outcome<never> {
  const another = "choose another with --port N, or --port 0 for any free one";
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return refuse("conflict", `port ${port} on ${host} is taken by another program; ${another}`);
    case "EACCES":
      return refuse("forbidden", `port ${port} on ${host} may not be used by this user; ${another}`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return refuse(
        "invalid",
        `${host} is not an address of this machine; use 127.0.0.1, or 0.0.0.0 to be reached from others`,
      );
    case null:
    default:
      return refuse("unavailable", `cannot listen on ${host}:${port}: ${errorSentence(error)}`);
  }
}

/** How it is asked for its greeting: in plain text, with TLS by whoever it is, or by whom it should be. */
export type Asked = "plain" | "anybody" | ServerTrust;

/** The first bytes a server sends: `INFO {…}`, or an empty string where none listens, or none that is believed. */
export function greetingOf(host: string, port: number, asked: Asked = "plain"): Promise<string> {
  return new Promise((done) => {
    const socket = greeted({ host, port }, asked);
    const finish = (text: string) => {
      socket.destroy();
      done(text);
    };
    socket.setTimeout(asked === "plain" ? probeTimeoutMs : tlsProbeTimeoutMs, () => finish(""));
    socket.once("error", () => finish(""));
    socket.once("data", (bytes: Buffer) => finish(bytes.toString("utf8")));
  });
}

function greeted(at: { readonly host: string; readonly port: number }, asked: Asked): Socket {
  if (asked === "anybody") return connectTls({ ...at, servername: "", rejectUnauthorized: false });
  // One that others sign for speaks before TLS begins.
  const settings = asked === "plain" || asked.kind === "named" ? null : busTls({ tls: asked, url: "" });
  return settings === null ? connect(at) : connectTls({ ...at, ...settings });
}

const serverPort = 4222;

/** The same of a server's address, `nats://host:port`. */
export async function greetingAt(url: string, tls: ServerTrust | null = null): Promise<string> {
  if (!URL.canParse(url)) return "";
  const { hostname, port } = new URL(url);
  return greetingOf(
    hostname.replace(/^\[|\]$/g, ""),
    port === "" ? serverPort : Number(port),
    tls ?? "plain",
  );
}

/** An address that means "all interfaces" is reached over loopback from this machine. */
export function loopbackOf(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}

/** Nobody beyond this machine reaches what listens there. */
export function isLoopbackHost(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/i.test(host);
}
