/**
 * What coordinators sign, and how it is checked. Each has an Ed25519 key of its own, and a certificate for it from the
 * mesh's operator key; both the certificate and the signature go with every message, so whoever knows the mesh's key can
 * check one by itself. What is signed, and what follows from it, is said elsewhere.
 *
 * What is signed is the text of a JSON object, and the signature is one more field at its end, so that whoever knows of no
 * signatures reads it as before: `…,"signed":"<name>.<key>.<certificate> <signature>"}`, in base64url.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { nameSchema } from "./name.ts";

/** Before the raw 32 bytes of a key in PKCS #8 and SPKI (RFC 8410). */
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");
const keyBytes = 32;
const signatureBytes = 64;
const fieldStart = Buffer.from(',"signed":"');
const fieldEnd = '"}';
const closingBrace = Buffer.from("}");
/** Certificates seen and found good: one for each coordinator there ever was. */
const certificatesKept = 100;

/** A coordinator's key, as its credential keeps it. Secret. */
export interface SigningKey {
  /** The raw private key, base64url. */
  readonly seed: string;
  readonly certificate: string;
}

/** Signs with the mesh's operator key. */
export type SignCertificate = (bytes: Uint8Array) => Uint8Array;
/** Checks a signature of the mesh's operator key, of 64 bytes. */
export type CheckCertificate = (bytes: Uint8Array, signature: Uint8Array) => boolean;

/** A key that nobody has vouched for yet; only its public half needs to travel for that. */
export interface OwnKey {
  /** The raw private key, base64url. Secret. */
  readonly seed: string;
  /** The raw public key, base64url. */
  readonly publicKey: string;
}

export function newOwnKey(): OwnKey {
  const pair = generateKeyPairSync("ed25519");
  const seed = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(privatePrefix.length);
  const key = pair.publicKey.export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  return { seed: encoded(seed), publicKey: encoded(key) };
}

/** Whether the text is the raw public key of such a key. */
export function isPublicKey(text: string): boolean {
  return decoded(text, keyBytes) !== null;
}

export function certificateOf(
  mesh: string,
  name: string,
  publicKey: string,
  signCertificate: SignCertificate,
): string {
  const certified = signCertificate(certificateText(mesh, name, publicKey));
  return `${name}.${publicKey}.${encoded(certified)}`;
}

/** Throws where the seed is none. */
export class Signer {
  readonly #key: KeyObject;
  readonly #certificate: string;

  constructor({ certificate, seed }: SigningKey) {
    const raw = Buffer.from(seed, "base64url");
    if (raw.length !== keyBytes) throw new Error("a coordinator's key has 32 bytes");
    this.#key = createPrivateKey({ key: Buffer.concat([privatePrefix, raw]), format: "der", type: "pkcs8" });
    this.#certificate = certificate;
  }

  /** `context` says what the body is for: it counts for nothing else. Throws where the body is no JSON object with fields. */
  sign(context: string, body: Uint8Array): Uint8Array {
    const inner = body.subarray(0, -1);
    if (body.at(-1) !== closingBrace[0] || inner.length < 2) throw new Error("only a JSON object is signed");
    const signature = encoded(sign(null, signedBytes(context, body), this.#key));
    return Buffer.concat([inner, fieldStart, Buffer.from(`${this.#certificate} ${signature}${fieldEnd}`)]);
  }
}

export interface Signed {
  /** The coordinator's name. */
  readonly by: string;
  readonly body: Uint8Array;
}

/** Knows the coordinators of one mesh by its operator key. */
export class MeshTrust {
  readonly #mesh: string;
  readonly #check: CheckCertificate;
  readonly #known = new Map<string, { readonly by: string; readonly key: KeyObject }>();

  constructor(mesh: string, check: CheckCertificate) {
    this.#mesh = mesh;
    this.#check = check;
  }

  /** The body, where a coordinator of the mesh has signed it for just this; null otherwise. */
  open(context: string, bytes: Uint8Array): Signed | null {
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // In a JSON text a quotation mark is escaped, so these bytes are a field's beginning wherever they stand.
    const at = whole.lastIndexOf(fieldStart);
    if (at < 0) return null;
    const field = whole.subarray(at + fieldStart.length).toString("latin1");
    if (!field.endsWith(fieldEnd)) return null;
    const [certificate = "", proof = "", more] = field.slice(0, -fieldEnd.length).split(" ");
    const signature = decoded(proof, signatureBytes);
    const known = this.#coordinator(certificate);
    if (known === null || signature === null || more !== undefined) return null;
    const body = Buffer.concat([whole.subarray(0, at), closingBrace]);
    return verify(null, signedBytes(context, body), known.key, signature) ? { by: known.by, body } : null;
  }

  #coordinator(certificate: string): { readonly by: string; readonly key: KeyObject } | null {
    const known = this.#known.get(certificate);
    if (known !== undefined) return known;
    const [by = "", key = "", signature = "", more] = certificate.split(".");
    const raw = decoded(key, keyBytes);
    const certified = decoded(signature, signatureBytes);
    if (more !== undefined || !nameSchema.safeParse(by).success || raw === null || certified === null)
      return null;
    if (!this.#check(certificateText(this.#mesh, by, key), certified)) return null;
    const der = Buffer.concat([publicPrefix, raw]);
    const found = { by, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
    if (this.#known.size >= certificatesKept) this.#known.clear();
    this.#known.set(certificate, found);
    return found;
  }
}

function certificateText(mesh: string, name: string, key: string): Uint8Array {
  return Buffer.from(`trialmesh coordinator\n${mesh}\n${name}\n${key}`);
}

function signedBytes(context: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`trialmesh\n${context}\n`), body]);
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/** As many bytes, written in the one way that `encoded` writes them; null for anything else. */
function decoded(text: string, length: number): Buffer | null {
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === length && encoded(bytes) === text ? bytes : null;
}
