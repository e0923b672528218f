/**
 * How a mesh's certificate authority is known to whoever has the operator's key, as each credential has: the operator's signature over
 * the authority's key, as a URI among the names in its certificate. So who joined before there was an authority needs no new invitation.
 */
import type { X509Certificate } from "node:crypto";
import type { CheckCertificate } from "../signature.ts";
import { urisOf } from "./certified-identity.ts";

const kind = "authority";

/** What the operator signs. `spki`: the authority's public key, in DER. */
export function provedText(mesh: string, spki: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`trialmesh authority\n${mesh}\n`), spki]);
}

export function authorityProof(mesh: string, operator: string, signature: Uint8Array): string {
  return `trialmesh:${mesh}/${kind}/${operator}/${Buffer.from(signature).toString("base64url")}`;
}

/** Whether this is the certificate of the authority of `mesh`, whose operator's signatures `check` knows. */
export function isAuthorityOf(certificate: X509Certificate, mesh: string, check: CheckCertificate): boolean {
  if (!certificate.ca || !certificate.verify(certificate.publicKey)) return false;
  const spki = certificate.publicKey.export({ format: "der", type: "spki" });
  return urisOf(certificate).some((uri) => {
    const [start, role, , proof] = uri.split("/");
    if (start !== `trialmesh:${mesh}` || role !== kind || proof === undefined) return false;
    const signature = Buffer.from(proof, "base64url");
    try {
      return check(provedText(mesh, spki), signature);
    } catch {
      // Not a signature's length.
      return false;
    }
  });
}
