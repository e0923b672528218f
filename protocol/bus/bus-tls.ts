/**
 * What a connection to the message server is told of TLS, in the words of Node and of the NATS client; and what is said where the server is not
 * believed. Whom to believe, and why not, is for whoever connects to say (`mesh/server-trust.ts`).
 */
import type { PeerCertificate } from "node:tls";
import { BusError } from "./bus.ts";

export interface BusTls {
  readonly minVersion: "TLSv1.3";
  readonly rejectUnauthorized: true;
  /** PEM; left out: whom this machine trusts. */
  readonly ca?: string;
  /** Travels readable. */
  readonly servername?: string;
  readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
  /** TLS begins before the server says anything. */
  readonly handshakeFirst: boolean;
}

export type ServerFault =
  /** It is another mesh's, or nobody's of a mesh. */
  | { readonly kind: "foreign" }
  | { readonly kind: "clock"; readonly sentence: string }
  /** A server of one's own whose certificate is not believed here, with OpenSSL's reason. */
  | { readonly kind: "unknown-signer"; readonly reason: string }
  /** It speaks without TLS. */
  | { readonly kind: "plain" }
  /** It speaks with TLS only, and no authority is known here. */
  | { readonly kind: "wants-tls" };

/** The message is a whole sentence for whoever knows nothing more. */
export class UntrustedServer extends BusError {
  readonly fault: ServerFault;

  constructor(url: string, fault: ServerFault) {
    super("untrusted", faultSentence(url, fault));
    this.name = "UntrustedServer";
    this.fault = fault;
  }
}

function faultSentence(url: string, fault: ServerFault): string {
  switch (fault.kind) {
    case "foreign":
      return `the server at ${url} is not this mesh's: another authority has signed its certificate`;
    case "clock":
      return fault.sentence;
    case "unknown-signer":
      return `this machine does not believe the certificate of the server at ${url}: ${fault.reason}`;
    case "plain":
      return `the server at ${url} speaks without TLS, and this mesh speaks with TLS only`;
    case "wants-tls":
      return `the server at ${url} speaks with TLS only, and no authority of this mesh is known here`;
  }
}
