/**
 * The key of P-256 that a process of this home shows a certificate for: made the first time, readable by its owner alone, and never sent
 * anywhere. Not the certificate.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { readPrivateFile, writePrivateFile } from "../../system/private-file.ts";

export interface TlsKey {
  /** PEM. Secret. */
  readonly pem: string;
  readonly publicKey: KeyObject;
}

export function newTlsKey(): TlsKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return { pem: privateKey.export({ format: "pem", type: "pkcs8" }).toString(), publicKey };
}

/** The one in the file, which is made where there is none. */
export function ensureTlsKey(file: string): Outcome<TlsKey> {
  if (!existsSync(file)) {
    const key = newTlsKey();
    const written = writePrivateFile(file, key.pem);
    return written.ok ? accept(key) : written;
  }
  const text = readPrivateFile(file);
  if (!text.ok) return text;
  try {
    const key = createPrivateKey(text.value);
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1")
      return accept({ pem: text.value, publicKey: createPublicKey(key) });
  } catch {
    // Falls through: what is no key and one of another kind are refused alike.
  }
  return refuse("invalid", `${file} does not hold a key of P-256; move it away, and it is made anew`);
}

/** A public key that somebody sent, PEM or DER in base64; null where it is none of P-256. */
export function readPublicKey(text: string): KeyObject | null {
  try {
    const key = createPublicKey(
      text.startsWith("-----") ? text : { key: Buffer.from(text, "base64"), format: "der", type: "spki" },
    );
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : null;
  } catch {
    return null;
  }
}
