/**
 * TLS-4: whom a connection to the message server believes: of a mesh's own server the mesh's authority and nobody else, whatever it is reached by;
 * of a server that its owner names, those that sign for its name. TLS 1.3 throughout. Not where the authority comes from, nor what is said when
 * it is another (`server-fault.ts`).
 */
import { X509Certificate } from "node:crypto";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { BusTls } from "../protocol/bus/bus-tls.ts";
import { identityOf } from "../protocol/certificate/certified-identity.ts";

export type ServerTrust =
  | {
      readonly kind: "mesh";
      /** The authority's certificate, PEM. */
      readonly authority: string;
      /** Null: whichever it is the authority of. */
      readonly mesh: string | null;
    }
  | {
      readonly kind: "named";
      /** PEM of whoever signs for the server; null: whom this machine trusts. */
      readonly ca: string | null;
    };

/** Where a server is, and whom it is believed by. */
export interface ServerPlace {
  /** `nats://host:port`. */
  readonly url: string;
  /** Null: without TLS. */
  readonly tls: ServerTrust | null;
}

export function busTls({ tls, url }: ServerPlace): BusTls | null {
  if (tls === null) return null;
  const always = { minVersion: "TLSv1.3", rejectUnauthorized: true } as const;
  if (tls.kind === "named") {
    const { host } = addressOf(url);
    // Also where it is an address, of which Node would look at no name.
    const check = (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate);
    return {
      ...always,
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      checkServerIdentity: check,
      handshakeFirst: false,
    };
  }
  return {
    ...always,
    ca: tls.authority,
    // It would be readable on its way, and says nothing here.
    servername: "",
    checkServerIdentity: (_, certificate) => notTheServer(certificate, tls.mesh),
    // So that nothing is said in plain text.
    handshakeFirst: true,
  };
}

function notTheServer(certificate: PeerCertificate, mesh: string | null): Error | undefined {
  return isServerOf(new X509Certificate(certificate.raw), mesh)
    ? undefined
    : new Error("the certificate is not that of the mesh's server");
}

/** `mesh`: null for any. Who signed it is not looked at. */
export function isServerOf(certificate: X509Certificate, mesh: string | null): boolean {
  const identity = identityOf(certificate);
  return identity?.kind === "server" && (mesh === null || identity.mesh === mesh);
}

const defaultPort = 4222;

export function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url.includes("://") ? url : `nats://${url}`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? defaultPort : Number(port) };
}
