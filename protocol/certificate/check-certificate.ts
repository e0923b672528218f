/**
 * TLS-2: whether a certificate is to be believed, and if not, which of the reasons it is: not of this mesh, over, not begun yet. The last two
 * may be this machine's clock, which `clock-sentence.ts` tells. Who it is for is `certified-identity.ts`, whether that user was revoked
 * `revoked-list.ts`.
 */
import type { X509Certificate } from "node:crypto";

export type CertificateFault =
  /** Signed by another authority than that of this mesh, or not fit to be shown by anybody. */
  | { readonly kind: "foreign" }
  /** Unix time in ms. */
  | { readonly kind: "expired"; readonly endedMs: number }
  | { readonly kind: "not-yet-valid"; readonly beginsMs: number };

/** `authority`: what this mesh signs with. `atMs`: Unix time in ms. Null where the certificate is good. */
export function certificateFault(
  certificate: X509Certificate,
  authority: X509Certificate,
  atMs: number,
): CertificateFault | null {
  if (!isSignedBy(certificate, authority)) return { kind: "foreign" };
  const { endedMs, beginsMs } = lifeOf(certificate);
  if (atMs < beginsMs) return { kind: "not-yet-valid", beginsMs };
  return atMs >= endedMs ? { kind: "expired", endedMs } : null;
}

/** Unix time in ms: its first moment, and the first one after its last. */
export function lifeOf(certificate: X509Certificate): {
  readonly beginsMs: number;
  readonly endedMs: number;
} {
  return {
    beginsMs: certificate.validFromDate.getTime(),
    // Its last second counts.
    endedMs: certificate.validToDate.getTime() + 1_000,
  };
}

/** By an authority, directly, and itself none: whoever has a certificate makes no others with it. */
export function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  try {
    return (
      authority.ca &&
      !certificate.ca &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey)
    );
  } catch {
    // Its signature or key is of a kind that cannot be read here.
    return false;
  }
}
