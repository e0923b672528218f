/**
 * TLS-1: the mesh's certificate authority. Its key is worked out from the operator's seed, like the keys of accounts: it is kept nowhere,
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
import type { CertificateLife } from "../../protocol/certificate/certificate-life.ts";
import { identityUri, type CertifiedUser } from "../../protocol/certificate/certified-identity.ts";
import type { KeyPair } from "@nats-io/nkeys";
import { serialBytes, signCertificate, spkiOf, type HolderName } from "./sign-certificate.ts";

export interface Authority {
  readonly mesh: string;
  /** Its own certificate, PEM. */
  readonly certificate: string;
  readonly pin: Uint8Array;
  /** Secret. */
  readonly key: KeyObject;
}

/** Of the authority's own: any time at which there can be a mesh, and RFC 5280's "no end known". */
const authorityFromMs = Date.UTC(2020, 0, 1);
const authorityUntilMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The same for the same keys but for the chance in its certificate's signature: `kept` is the one that was made before. */
export function authorityOf(operator: KeyPair, mesh: string, kept: string | null = null): Authority {
  const key = derivedKey(operator.getSeed(), `trialmesh authority\n${mesh}`);
  const publicKey = createPublicKey(key);
  const pin = pinOf(publicKey);
  if (kept !== null && isOf(kept, publicKey)) return { mesh, certificate: kept, pin, key };
  const proof = authorityProof(
    mesh,
    operator.getPublicKey(),
    operator.sign(provedText(mesh, spkiOf(publicKey))),
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
      serial: randomBytes(serialBytes),
    },
    key,
  );
  return { mesh, certificate, pin, key };
}

/** Two meshes may have one name. */
function authorityName(mesh: string, pin: Uint8Array): string {
  return `trialmesh ${mesh} ${Buffer.from(pin).toString("hex").slice(0, 16)}`;
}

function isOf(certificate: string, publicKey: KeyObject): boolean {
  try {
    return new X509Certificate(certificate).publicKey.equals(publicKey);
  } catch {
    // Cut short or edited: made anew.
    return false;
  }
}

export interface CertificateTerms {
  /** Of whom it is for. */
  readonly publicKey: KeyObject;
  /** Unix time in ms. */
  readonly nowMs: number;
  readonly life: Pick<CertificateLife, "lifeMs" | "backdatedMs">;
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

/** Of a program of this machine that answers HTTPS at these names: it says nothing of who that is in the mesh. PEM. */
export function issueForNames(
  authority: Authority,
  names: readonly HolderName[],
  terms: CertificateTerms,
): string {
  return issue(authority, `served in ${authority.mesh}`, names, terms);
}

function issue(
  { certificate, key, mesh, pin }: Authority,
  subject: string,
  names: readonly HolderName[],
  { life, nowMs, publicKey }: CertificateTerms,
): string {
  return signCertificate(
    {
      subject,
      issuer: authorityName(mesh, pin),
      publicKey,
      issuerKey: new X509Certificate(certificate).publicKey,
      names,
      fromMs: nowMs - life.backdatedMs,
      untilMs: nowMs + life.lifeMs,
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
