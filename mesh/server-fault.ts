/**
 * Why a server was not believed, found by asking it for its certificates once more without believing anything: so that whoever cannot connect
 * is told which of the reasons it is. Connects, and sends nothing but the beginning of TLS.
 */
import { X509Certificate } from "node:crypto";
import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { ServerFault } from "../protocol/bus/bus-tls.ts";
import { certificateFault } from "../protocol/certificate/check-certificate.ts";
import { serverLife } from "../protocol/certificate/certificate-life.ts";
import { clockSentence, momentText } from "../protocol/certificate/clock-sentence.ts";
import { addressOf, isServerOf, type ServerPlace, type ServerTrust } from "./server-trust.ts";

const answerTimeoutMs = 3_000;
/** A chain is a server's certificate and those above it. */
const chainMax = 10;

/** Null where TLS is not what is wrong. `atMs`: Unix time. */
export async function serverFault({ tls, url }: ServerPlace, atMs: number): Promise<ServerFault | null> {
  // One that speaks first fails at once where TLS begins, and one that does not is silent where it is waited for.
  const shown = tls?.kind === "named" ? null : await shownCertificates(url);
  if (tls === null) return shown === null ? null : { kind: "wants-tls" };
  if (tls.kind === "named") return namedFault(url, tls, atMs);
  if (shown === null) return (await plainGreeting(url)).startsWith("INFO") ? { kind: "plain" } : null;
  const [own] = shown;
  if (own === undefined) return { kind: "foreign" };
  const fault = certificateFault(own, new X509Certificate(tls.authority), atMs);
  if (fault === null) {
    return isServerOf(own, tls.mesh) ? null : { kind: "foreign" };
  }
  if (fault.kind === "foreign") return fault;
  const sides = { own: "this machine's", other: "the mesh's" };
  return { kind: "clock", sentence: clockSentence(fault, atMs, serverLife, sides) };
}

/** Behind a server's name stands whoever this machine trusts: OpenSSL says why not. */
async function namedFault(
  url: string,
  { ca }: ServerTrust & { readonly kind: "named" },
  atMs: number,
): Promise<ServerFault | null> {
  const greeting = await plainGreeting(url);
  if (greeting.startsWith("INFO") && !/"tls_(required|available)":true/.test(greeting))
    return { kind: "plain" };
  const { host, port } = addressOf(url);
  // After its greeting, as NATS has it.
  const plain = connectPlain({ host, port });
  const socket = await new Promise<TLSSocket | null>((done) => {
    plain.setTimeout(answerTimeoutMs, () => done(null));
    plain.once("error", () => done(null));
    plain.once("data", () => {
      const secured = connect({
        socket: plain,
        host,
        rejectUnauthorized: false,
        ...(ca === null ? {} : { ca }),
      });
      secured.once("secureConnect", () => done(secured));
      secured.once("error", () => done(null));
    });
  });
  const reason = socket?.authorizationError;
  const shown = socket?.getPeerX509Certificate();
  socket?.destroy();
  plain.destroy();
  if (socket === null || reason === undefined || reason === null) return null;
  const text = reason instanceof Error ? reason.message : String(reason);
  const isLate = /EXPIRED|NOT_YET_VALID/.test(text) && shown !== undefined;
  const when = isLate
    ? ` (it counts from ${shown.validFrom} to ${shown.validTo}, and here it is ${momentText(atMs)})`
    : "";
  return { kind: "unknown-signer", reason: `${text.toLowerCase().replaceAll("_", " ")}${when}` };
}

/** The chain that whoever listens there shows, its own certificate first; null where nobody speaks TLS. Nothing is checked. */
export function shownCertificates(url: string): Promise<readonly X509Certificate[] | null> {
  const { host, port } = addressOf(url);
  return new Promise((done) => {
    const socket = connect({ host, port, servername: "", rejectUnauthorized: false });
    const finish = (chain: readonly X509Certificate[] | null) => {
      socket.destroy();
      done(chain);
    };
    socket.setTimeout(answerTimeoutMs, () => finish(null));
    socket.once("error", () => finish(null));
    socket.once("secureConnect", () => finish(chainOf(socket)));
  });
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let shown: ReturnType<typeof socket.getPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (shown?.raw !== undefined && chain.length < chainMax) {
    const certificate = new X509Certificate(shown.raw);
    if (chain.at(-1)?.raw.equals(certificate.raw) === true) break;
    chain.push(certificate);
    shown = "issuerCertificate" in shown ? shown.issuerCertificate : undefined;
  }
  return chain;
}

/** The first bytes that come by themselves: `INFO {…}`, or an empty string where none do. */
function plainGreeting(url: string): Promise<string> {
  const { host, port } = addressOf(url);
  return new Promise((done) => {
    const socket = connectPlain({ host, port });
    const finish = (text: string) => {
      socket.destroy();
      done(text);
    };
    socket.setTimeout(answerTimeoutMs, () => finish(""));
    socket.once("error", () => finish(""));
    socket.once("data", (bytes) => finish(bytes.toString("utf8")));
    socket.once("end", () => finish(""));
  });
}
