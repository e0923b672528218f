/**
 * TLS-9: gives a user a certificate for a key that it made itself, and says who was revoked. Whoever asks is known by the subject it asked on; a key
 * that was taken back gets none. Not how the question travels (`part/serve-certificate.ts`).
 */
import type { CertificateAnswer, CertificateRequest } from "../protocol/certificate/certificate-request.ts";
import { userLife, type CertificateLife } from "../protocol/certificate/certificate-life.ts";
import { revokedKeysMax } from "../protocol/certificate/revoked-list.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Role } from "../protocol/subjects.ts";
import type { Home } from "./home.ts";
import { listUsers, readUser, type User } from "./user.ts";
import { issueForUser, type Authority } from "./certificate/authority.ts";
import { readPublicKey } from "./certificate/own-key.ts";

/** `nowMs`: Unix time. */
export function certifyUser(
  home: Home,
  authority: Authority,
  { name, role }: { readonly role: Role; readonly name: string },
  { publicKey, userKey }: CertificateRequest,
  nowMs: number,
  life: CertificateLife = userLife,
): Outcome<CertificateAnswer> {
  const known = readUser(home, role, name);
  if (!known.ok) return known;
  if (known.value === null || !liveKeys(known.value).includes(userKey))
    return refuse("forbidden", `this key of ${role} ${name} is not one that the mesh has let in`);
  const key = readPublicKey(publicKey);
  if (key === null)
    return refuse("invalid", `what ${role} ${name} asks a certificate for is no key of P-256`);
  const certificate = issueForUser(authority, { role, name, userKey }, { publicKey: key, nowMs, life });
  return accept({ certificate, authority: authority.certificate, at: nowMs });
}

function liveKeys({ others, publicKey }: User): readonly string[] {
  return publicKey === null ? [] : [publicKey, ...others];
}

const msPerS = 1_000;

/** The keys that were taken back while a certificate could still count, the newest first. `nowMs`: Unix time. */
export function revokedKeys(
  home: Home,
  nowMs: number,
  life: CertificateLife = userLife,
): Outcome<readonly string[]> {
  const users = listUsers(home);
  if (!users.ok) return users;
  // Twice its life: of two clocks one may be wrong.
  const since = (nowMs - 2 * life.lifeMs) / msPerS;
  const lost = users.value.flatMap(({ revoked }) => revoked).filter(({ at }) => at >= since);
  const newest = lost.toSorted((a, b) => b.at - a.at).slice(0, revokedKeysMax);
  return accept(newest.map(({ publicKey }) => publicKey));
}
