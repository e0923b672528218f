/**
 * The mesh's certificate authority. Its key is worked out from the operator's seed, like the keys of accounts: it is kept nowhere,
 * cannot be lost or differ from the other keys, and every mesh has one. So is its pin always the same. Its certificate says in one of its
 * names that the operator vouches for it: whoever joined before there was an authority knows it by the operator's key in the
 * credential (`authority-proof.ts`).
 */
import {
  createHmac,
  createECDH,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { pinOf } from "../../protocol/certificate/authority-pin.ts";
import { authorityProof, provedText } from "../../protocol/certificate/authority-proof.ts";
import { identityUri, type CertifiedUser } from "../../protocol/certificate/certified-identity.ts";
import type { Identity } from "../identity.ts";
import { serialBytes, signCertificate, spkiOf, type HolderName } from "./sign-certificate.ts";

export interface Authority {
  readonly mesh: string;
  /** Its own certificate, PEM. */
  readonly certificate: string;
  readonly pin: Uint8Array;
  /** Secret. */
  readonly key: KeyObject;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A certificate counts from so long before it was made, for clocks that are a little behind. */
export const backdatedMs = hourMs;
/** Of an agent's. It is renewed long before: `renewalDueMs`. */
export const identityLifeMs = 7 * dayMs;
/** Of the server's, which is made anew every day: whoever finds it expired has a clock that is days ahead. */
export const serverLifeMs = 14 * dayMs;

/** Of the authority's own: any time at which there can be a mesh, and RFC 5280's "no end known". */
const authorityFromMs = Date.UTC(2020, 0, 1);
const authorityUntilMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The same for the same keys but for the chance in its signature. */
export function authorityOf(identity: Identity, mesh: string): Authority {
  const key = derivedKey(identity.operator.getSeed(), `trialmesh authority\n${mesh}`);
  const publicKey = createPublicKey(key);
  const pin = pinOf(publicKey);
  const proof = authorityProof(
    mesh,
    identity.operator.getPublicKey(),
    identity.operator.sign(provedText(mesh, spkiOf(publicKey))),
  );
  const certificate = signCertificate(
    {
      subject: authorityName(mesh, pin),
      issuer: authorityName(mesh, pin),
      publicKey,
      issuerKey: publicKey,
      names: [{ kind: "uri", uri: proof }],
      fromMs: authorityFromMs,
      untilMs: authorityUntilMs,
      isAuthority: true,
      serial: pinSerial(pin),
    },
    key,
  );
  return { mesh, certificate, pin, key };
}

/** Two meshes may have one name. */
function authorityName(mesh: string, pin: Uint8Array): string {
  return `trialmesh ${mesh} ${Buffer.from(pin).toString("hex").slice(0, 16)}`;
}

/** A certificate is known by who signed it and its number, and this one is always made alike. */
function pinSerial(pin: Uint8Array): Uint8Array {
  return Buffer.from(pin).subarray(0, serialBytes);
}

export interface CertificateTerms {
  /** Of whom it is for. */
  readonly publicKey: KeyObject;
  /** Unix time in ms. */
  readonly nowMs: number;
  readonly lifeMs: number;
}

/** What makes whoever holds that key this user, for others of the mesh. PEM. */
export function issueForUser(
  authority: Authority,
  user: Omit<CertifiedUser, "kind" | "mesh">,
  terms: CertificateTerms,
): string {
  const uri = identityUri({ kind: "user", mesh: authority.mesh, ...user });
  return issue(authority, `${user.role} ${user.name}`, [{ kind: "uri", uri }], terms);
}

/** The server's. `names`: what it is reached by, for clients that ask for that. PEM. */
export function issueForServer(
  authority: Authority,
  names: readonly HolderName[],
  terms: CertificateTerms,
): string {
  const uri = identityUri({ kind: "server", mesh: authority.mesh });
  return issue(authority, `server of ${authority.mesh}`, [{ kind: "uri", uri }, ...names], terms);
}

function issue(
  { certificate, key, mesh, pin }: Authority,
  subject: string,
  names: readonly HolderName[],
  { lifeMs, nowMs, publicKey }: CertificateTerms,
): string {
  return signCertificate(
    {
      subject,
      issuer: authorityName(mesh, pin),
      publicKey,
      issuerKey: new X509Certificate(certificate).publicKey,
      names,
      fromMs: nowMs - backdatedMs,
      untilMs: nowMs + lifeMs,
      isAuthority: false,
      serial: randomBytes(serialBytes),
    },
    key,
  );
}

/** Above none of these is a P-256 key (SEC 2, 2.4.2: the order of the curve). */
const curve = "prime256v1";
const coordinateBytes = 32;

/** A key of P-256 that is the same for the same secret and purpose, and found by nobody without the secret. */
function derivedKey(secret: Uint8Array, purpose: string): KeyObject {
  for (let attempt = 0; ; attempt++) {
    const seed = createHmac("sha256", secret).update(`${purpose}\n${attempt}`).digest();
    const ecdh = createECDH(curve);
    try {
      ecdh.setPrivateKey(seed);
    } catch {
      // Zero, or beyond the curve's order: one of 2^32.
      continue;
    }
    const point = ecdh.getPublicKey();
    const [x, y] = [point.subarray(1, 1 + coordinateBytes), point.subarray(1 + coordinateBytes)];
    const text = (bytes: Buffer) => bytes.toString("base64url");
    const jwk = { kty: "EC", crv: "P-256", d: text(seed), x: text(x), y: text(y) };
    return createPrivateKey({ key: jwk, format: "jwk" });
  }
}
