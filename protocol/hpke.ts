/**
 * What only the holder of one key can read: HPKE (RFC 9180) in its base mode, for one message: DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, AES-128-GCM. What is sealed and to whom is the caller's.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";

export interface SealKey {
  /** 32 bytes each, base64url. */
  readonly publicKey: string;
  readonly privateKey: string;
}

export interface Sealing {
  /** Of whom it is for, 32 bytes, base64url. */
  readonly publicKey: string;
  /** What it is for: another use of the same key opens nothing of it. */
  readonly info: string;
  /** What it is bound to, and not part of it: it opens with the same text only. */
  readonly bound: string;
  readonly plain: Uint8Array;
}

const kemId = Buffer.from("KEM\x00\x20", "latin1");
const suiteId = Buffer.from("HPKE\x00\x20\x00\x01\x00\x01", "latin1");
const version = Buffer.from("HPKE-v1");
const cipher = "aes-128-gcm";
const keyBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const publicKeyBytes = 32;
const secretBytes = 32;
const none = Buffer.alloc(0);

export function newSealKey(): SealKey {
  const { d = "", x = "" } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
  return { publicKey: x, privateKey: d };
}

/** Base64url of the encapsulated key and the sealed text. `ephemeral` is for tests: each sealing has a new one. */
export function seal({ bound, info, plain, publicKey }: Sealing, ephemeral = newSealKey()): string {
  const shared = diffieHellman({ privateKey: privateOf(ephemeral), publicKey: publicOf(publicKey) });
  const enc = Buffer.from(ephemeral.publicKey, "base64url");
  const { key, nonce } = schedule(shared, enc, Buffer.from(publicKey, "base64url"), info);
  const sealing = createCipheriv(cipher, key, nonce);
  sealing.setAAD(Buffer.from(bound));
  const sealed = Buffer.concat([sealing.update(plain), sealing.final()]);
  return Buffer.concat([enc, sealed, sealing.getAuthTag()]).toString("base64url");
}

/** Null for whatever was not sealed to this key, for this, bound to this. */
export function unseal(own: SealKey, sealed: string, info: string, bound: string): Buffer | null {
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length < publicKeyBytes + tagBytes) return null;
  const enc = bytes.subarray(0, publicKeyBytes);
  try {
    const shared = diffieHellman({
      privateKey: privateOf(own),
      publicKey: publicOf(enc.toString("base64url")),
    });
    const { key, nonce } = schedule(shared, enc, Buffer.from(own.publicKey, "base64url"), info);
    const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes });
    opening.setAAD(Buffer.from(bound));
    opening.setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([opening.update(bytes.subarray(publicKeyBytes, -tagBytes)), opening.final()]);
  } catch {
    return null; // not for this key, or changed on its way
  }
}

function privateOf({ privateKey, publicKey }: SealKey): KeyObject {
  const key = { kty: "OKP", crv: "X25519", d: privateKey, x: publicKey };
  return createPrivateKey({ key, format: "jwk" });
}

function publicOf(x: string): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
}

function schedule(shared: Buffer, enc: Buffer, recipient: Buffer, info: string) {
  const prk = extract(kemId, none, "eae_prk", shared);
  const secret0 = expand(kemId, prk, "shared_secret", Buffer.concat([enc, recipient]), secretBytes);
  const context = Buffer.concat([
    Buffer.from([0]),
    extract(suiteId, none, "psk_id_hash", none),
    extract(suiteId, none, "info_hash", Buffer.from(info)),
  ]);
  const secret = extract(suiteId, secret0, "secret", none);
  return {
    key: expand(suiteId, secret, "key", context, keyBytes),
    nonce: expand(suiteId, secret, "base_nonce", context, nonceBytes),
  };
}

/** LabeledExtract of RFC 9180, 4. */
function extract(suite: Buffer, salt: Buffer, label: string, material: Buffer): Buffer {
  return createHmac("sha256", salt)
    .update(Buffer.concat([version, suite, Buffer.from(label), material]))
    .digest();
}

/** LabeledExpand of RFC 9180, 4, for at most one block of SHA-256. */
function expand(suite: Buffer, prk: Buffer, label: string, info: Buffer, bytes: number): Buffer {
  const length = Buffer.from([0, bytes]);
  return createHmac("sha256", prk)
    .update(Buffer.concat([length, version, suite, Buffer.from(label), info, Buffer.from([1])]))
    .digest()
    .subarray(0, bytes);
}
