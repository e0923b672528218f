/** What a credential says of the mesh's coordinators: how to know them and, where it is one's own, how to sign as one. */
import { fromPublic } from "@nats-io/nkeys";
import type { CoordinatorKeys } from "../coordinator/journal/seal.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { MeshTrust, Signer, type CheckCertificate } from "../protocol/signature.ts";
import type { Credential } from "./credential.ts";

export function meshTrust(mesh: string, credential: Credential): Outcome<MeshTrust> {
  const check = operatorCheck(credential);
  return check.ok ? accept(new MeshTrust(mesh, check.value)) : check;
}

/** Checks what the mesh's operator signed. */
export function operatorCheck(credential: Credential): Outcome<CheckCertificate> {
  const { meshKey } = credential;
  if (meshKey === null) return outdated(credential);
  const root = fromPublic(meshKey);
  return accept((bytes, signature) => root.verify(bytes, signature));
}

export function coordinatorKeys(mesh: string, credential: Credential): Outcome<CoordinatorKeys> {
  const trust = meshTrust(mesh, credential);
  if (!trust.ok) return trust;
  if (credential.signingKey === null) return outdated(credential);
  return accept({ trust: trust.value, signer: new Signer(credential.signingKey) });
}

/** What a credential of the first layout says to a program that goes by today's: it works for older programs only. */
export function outdated({ name, role }: Pick<Credential, "name" | "role">): Outcome<never> {
  return refuse(
    "forbidden",
    `the credential of ${role} ${name} is of an earlier version of trialmesh; ask its owner for a new \`trialmesh invite ${role} ${name}\``,
  );
}
