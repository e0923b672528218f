/**
 * The key of an account that is worked out from a secret and a purpose instead of kept: whoever has the secret finds
 * the same key again. Encodes it as an NKEY seed (base32 of prefix, key and a CRC of 16 bits), which the library only does for
 * keys it makes itself.
 */
import { createHmac } from "node:crypto";
import { fromSeed, type KeyPair } from "@nats-io/nkeys";

/** An NKEY seed's first ten bits: "S" for seed, then the kind of its public key, here "A". */
const seedPrefix = [0b10010_000, 0b00000_000] as const;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The same for the same secret and purpose, and of use to nobody without the secret. */
export function derivedAccount(secret: Uint8Array, purpose: string): KeyPair {
  const key = createHmac("sha256", secret).update(purpose).digest();
  const body = Buffer.from([...seedPrefix, ...key]);
  const sum = crc16(body);
  const text = base32(Buffer.from([...body, sum & 0xff, sum >> 8]));
  return fromSeed(new TextEncoder().encode(text));
}

/** XMODEM's CRC of 16 bits, as NKEYs have it. */
function crc16(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 0x8000) === 0 ? sum << 1 : (sum << 1) ^ 0x1021;
    sum &= 0xffff;
  }
  return sum;
}

/** RFC 4648, without padding. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >>> (bits - 5)) & 31] ?? "";
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + (alphabet[(held << (5 - bits)) & 31] ?? "");
}
