/**
 * TLS-5: whom a machine believes at its first contact with a mesh: the authority whose pin the invitation carries, or, of a server that
 * somebody else runs, who signs for its name. Nothing is said to anybody else. Not the joining itself (`join.ts`).
 */
import { X509Certificate } from "node:crypto";
import type { UntrustedServer } from "../protocol/bus/bus-tls.ts";
import { pinOf } from "../protocol/certificate/authority-pin.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Invited } from "./invite-line.ts";
import { serverFault, shownCertificates } from "./server-fault.ts";
import type { ServerTrust } from "./server-trust.ts";

const tlsScheme = "tls://";

/** Null: without TLS. `ca`: PEM, of who signs for a server of one's own. `nowMs`: Unix time. */
export async function firstTrust(
  { pin, url }: Invited,
  ca: string | null,
  nowMs: number,
): Promise<Outcome<ServerTrust | null>> {
  if (pin === null) return accept(url.startsWith(tlsScheme) ? { kind: "named", ca } : null);
  const shown = await shownCertificates(url);
  if (shown === null) {
    const fault = await serverFault({ url, tls: null }, nowMs);
    const found = fault === null ? `no mesh answers at ${url} with TLS` : `something else answers at ${url}`;
    return refuse(
      "unavailable",
      `${found}, as the one that the line names does; it must be up there, with \`trialmesh up --listen\` for other machines, and then the same line works`,
    );
  }
  const authority = shown.find(
    ({ ca: isAuthority, publicKey }) => isAuthority && pinOf(publicKey).equals(pin),
  );
  if (authority === undefined) return refuse("forbidden", foreignSentence(url));
  return accept({ kind: "mesh", authority: new X509Certificate(authority.raw).toString(), mesh: null });
}

function foreignSentence(url: string): string {
  return `this is not the mesh that the line names: what answers at ${url} has another authority; look whether the address is right, and ask the mesh's owner for a new \`trialmesh invite\``;
}

/** What is said to whoever comes with a line to a server that is not believed. */
export function joiningSentence(url: string, { fault, message }: UntrustedServer): string {
  switch (fault.kind) {
    case "foreign":
      return foreignSentence(url);
    case "wants-tls":
      return `the mesh at ${url} speaks with TLS, and this line, of before it did, does not say how it is known; ask its owner for a new \`trialmesh invite\``;
    case "unknown-signer":
      return `${message}; give the certificate of who signed it with \`--ca FILE\``;
    case "plain":
    case "clock":
      return message;
  }
}
