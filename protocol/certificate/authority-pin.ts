/**
 * What a mesh's certificate authority is known by before anything is believed that it signed: the beginning of the SHA-256 of its
 * public key, which an invitation carries. A new certificate of the same key has the same pin.
 */
import { createHash, type KeyObject } from "node:crypto";

/** 128 bits: to find another key with the same pin is out of reach. */
export const pinBytes = 16;
const shownCharacters = 8;

export function pinOf(authorityKey: KeyObject): Buffer {
  const spki = authorityKey.export({ format: "der", type: "spki" });
  return createHash("sha256").update(spki).digest().subarray(0, pinBytes);
}

/** For people to compare: its first digits. */
export function shownPin(pin: Uint8Array): string {
  return Buffer.from(pin).toString("hex").slice(0, shownCharacters);
}
