/**
 * What coordinators sign, and how it is checked. Each has an Ed25519 key of its own, and a certificate for it from the
 * mesh's operator key; both the certificate and the signature go with every message, so whoever knows the mesh's key can
 * check one by itself. Bytes in, bytes out: what is signed, and what follows from it, is said elsewhere.
 *
 * A signed message is one line of text and the body: `<name>.<key>.<certificate> <signature> <body>`, in base64url.
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
const space = 0x20;
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
/** Checks a signature of the mesh's operator key. */
export type CheckCertificate = (bytes: Uint8Array, signature: Uint8Array) => boolean;

export function newSigningKey(mesh: string, name: string, signCertificate: SignCertificate): SigningKey {
  const pair = generateKeyPairSync("ed25519");
  const seed = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(privatePrefix.length);
  const key = pair.publicKey.export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  const certified = signCertificate(certificateText(mesh, name, encoded(key)));
  return { seed: encoded(seed), certificate: `${name}.${encoded(key)}.${encoded(certified)}` };
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

  /** `context` says what the body is for: it counts for nothing else. */
  sign(context: string, body: Uint8Array): Uint8Array {
    const signature = sign(null, signedBytes(context, body), this.#key);
    return Buffer.concat([Buffer.from(`${this.#certificate} ${encoded(signature)} `), body]);
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
    const first = bytes.indexOf(space);
    const second = first < 0 ? -1 : bytes.indexOf(space, first + 1);
    if (second < 0) return null;
    const text = (from: number, to: number) => Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
    const known = this.#coordinator(text(0, first).toString("latin1"));
    if (known === null) return null;
    const signature = Buffer.from(text(first + 1, second).toString("latin1"), "base64url");
    const body = bytes.subarray(second + 1);
    return verify(null, signedBytes(context, body), known.key, signature) ? { by: known.by, body } : null;
  }

  #coordinator(certificate: string): { readonly by: string; readonly key: KeyObject } | null {
    const known = this.#known.get(certificate);
    if (known !== undefined) return known;
    const [by = "", key = "", signature = "", more] = certificate.split(".");
    const raw = Buffer.from(key, "base64url");
    if (more !== undefined || !nameSchema.safeParse(by).success || raw.length !== keyBytes) return null;
    const signed = certificateText(this.#mesh, by, key);
    if (!this.#check(signed, Buffer.from(signature, "base64url"))) return null;
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
