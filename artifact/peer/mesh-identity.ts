/** A machine of a mesh as others of it know it: by the certificate that the mesh has signed, while its user is not revoked. */
import type { X509Certificate } from "node:crypto";
import { identityOf } from "../../protocol/certificate/certified-identity.ts";
import type { PeerIdentity } from "./peer-identity.ts";

export interface MeshIdentityOptions extends Omit<PeerIdentity, "trusts"> {
  readonly mesh: string;
  /** By the public key of its NATS user. */
  readonly isRevoked: (userKey: string) => boolean;
}

/** Names are those of agents; whoever else belongs to the mesh may ask and is `role:name`, which no agent is called. */
export function meshIdentity({ isRevoked, mesh, ...own }: MeshIdentityOptions): PeerIdentity {
  const trusts = (certificate: X509Certificate): string | null => {
    const user = identityOf(certificate);
    if (user?.kind !== "user" || user.mesh !== mesh || isRevoked(user.userKey)) return null;
    return user.role === "agent" ? user.name : `${user.role}:${user.name}`;
  };
  return { ...own, trusts };
}
