/**
 * Who a certificate of a mesh is for, as a URI among its holder's names: `trialmesh:<mesh>/<role>/<name>/<the NATS user's public key>`,
 * `trialmesh:<mesh>/server` for the server. What the key in it stands for is known by the same name as everywhere else, so a user
 * that was revoked is revoked here too. Whether the certificate is to be believed is `check-certificate.ts`.
 */
import type { X509Certificate } from "node:crypto";
import * as z from "zod";
import { longText } from "../bound.ts";
import { nameSchema } from "../name.ts";
import { roles, type Role } from "../subjects.ts";

const scheme = "trialmesh:";
const serverRole = "server";

export interface CertifiedUser {
  readonly kind: "user";
  readonly mesh: string;
  readonly role: Role;
  readonly name: string;
  /** Its NATS user's public key, `U…`. */
  readonly userKey: string;
}

export type CertifiedIdentity = CertifiedUser | { readonly kind: "server"; readonly mesh: string };

const userKeySchema = longText.regex(/^U[A-Z2-7]{55}$/);
const partsSchema = z.union([
  z.tuple([nameSchema, z.literal(serverRole)]),
  z.tuple([nameSchema, z.enum(roles), nameSchema, userKeySchema]),
]);

export function identityUri(identity: CertifiedIdentity): string {
  return identity.kind === "server"
    ? `${scheme}${identity.mesh}/${serverRole}`
    : `${scheme}${identity.mesh}/${identity.role}/${identity.name}/${identity.userKey}`;
}

/** Null where it is nobody's of a mesh, or of more than one. */
export function identityOf(certificate: X509Certificate): CertifiedIdentity | null {
  const [uri, more] = urisOf(certificate);
  if (uri === undefined || more !== undefined) return null;
  const parsed = partsSchema.safeParse(uri.slice(scheme.length).split("/"));
  if (!parsed.success) return null;
  const [mesh, role, name, userKey] = parsed.data;
  if (role === serverRole) return { kind: "server", mesh };
  return name === undefined || userKey === undefined ? null : { kind: "user", mesh, role, name, userKey };
}

/** The URIs of our scheme among its names, which Node writes as `URI:…, DNS:…`. */
export function urisOf(certificate: X509Certificate): readonly string[] {
  return (certificate.subjectAltName ?? "")
    .split(", ")
    .flatMap((name) => (name.startsWith(`URI:${scheme}`) ? [name.slice("URI:".length)] : []));
}
