/**
 * Who a machine is to others: its key, its certificate, and how it finds out whose theirs are. Not here: who signs them and
 * keeps them new.
 *
 * PEER-3: nothing of an artifact goes to, or comes from, a connection of which the certificate was not found right: signed by
 * this mesh, of a name that is not revoked, on both sides.
 * TLS-10: what passes between two machines is encrypted before anything is said, their certificates too.
 */
import type { X509Certificate } from "node:crypto";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

export interface PeerIdentity {
  /** PEM. */
  readonly key: string;
  /** PEM, with what lies between it and the authority. */
  readonly certificate: string;
  /** PEM of the certificates that sign this mesh's own. */
  readonly authority: string;
  /** The name that a certificate of the authority was issued for; null where it is for something else, or revoked. */
  readonly trusts: (certificate: X509Certificate) => string | null;
}

/** Told apart from whatever else may listen on a port. */
export const peerApplication = "trialmesh-peer";

export function secureOptions({ authority, certificate, key }: PeerIdentity): SecureContextOptions {
  return {
    ...{ key, cert: certificate, ca: authority, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" },
    // The quickest of the three where the processor knows AES, and as safe.
    ciphers: "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
  };
}

/** Whom the other side of a finished handshake is; what is wrong with its certificate in a sentence that it may be told. */
export function identityOf(socket: TLSSocket, identity: PeerIdentity): Outcome<string> {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return refuse("forbidden", "it showed no certificate");
  if (!socket.authorized) return refuse("forbidden", certificateSentence(String(socket.authorizationError)));
  const name = identity.trusts(certificate);
  return name === null
    ? refuse("forbidden", "its certificate is revoked, or none of an agent of this mesh")
    : accept(name);
}

/** What OpenSSL's code for a certificate means to people. */
export function certificateSentence(code: string): string {
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired, or one of the two clocks is wrong";
    case "CERT_NOT_YET_VALID":
      return "its certificate is not valid yet: one of the two clocks is wrong";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "CERT_SIGNATURE_FAILURE":
      return "its certificate was not signed by this mesh";
    default:
      return `its certificate is refused (${code})`;
  }
}
