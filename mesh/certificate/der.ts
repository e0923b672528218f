/**
 * Writes the few ASN.1 values that a certificate is made of, in DER (ITU-T X.690). It reads none: what comes from outside is
 * read by OpenSSL, through Node, and by the server's own library.
 */

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A length below this takes one byte. */
const longLengthMin = 0x80;
/** Seven bits of each byte of an object id's part; the eighth says that another follows. */
const objectIdPartBase = 128;
/** Of the first two parts of an object id, which share a byte. */
const objectIdFirstFactor = 40;
/** RFC 5280, 4.1.2.5: until the end of 2049 a date is a UTCTime, from then on a GeneralizedTime. */
const firstGeneralizedYear = 2050;

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < longLengthMin) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([longLengthMin | bytes.length, ...bytes]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(tags.sequence, ...parts);
}

export function setOf(part: Uint8Array): Buffer {
  return tagged(tags.set, part);
}

export function yes(): Buffer {
  return tagged(tags.boolean, Buffer.from([0xff]));
}

/** Of bytes, the most significant first, as a number that is not negative. */
export function integer(bytes: Uint8Array): Buffer {
  const from = bytes.findIndex((byte) => byte !== 0);
  const digits = from < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(from));
  const isNegative = (digits[0] ?? 0) >= longLengthMin;
  return tagged(tags.integer, isNegative ? Buffer.from([0, ...digits]) : digits);
}

/** `unusedBits`: of the last byte. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(tags.bitString, Buffer.from([unusedBits]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(tags.octetString, bytes);
}

export function utf8(text: string): Buffer {
  return tagged(tags.utf8, Buffer.from(text, "utf8"));
}

/** Of `2.5.29.17`. */
export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const parts = [first * objectIdFirstFactor + second, ...rest].flatMap((part) => {
    const bytes = [part % objectIdPartBase];
    for (let more = Math.floor(part / objectIdPartBase); more > 0; more = Math.floor(more / objectIdPartBase))
      bytes.unshift((more % objectIdPartBase) | longLengthMin);
    return bytes;
  });
  return tagged(tags.objectId, Buffer.from(parts));
}

/** Of Unix time in ms, to the second before it. */
export function time(atMs: number): Buffer {
  const at = new Date(atMs);
  const digits = `${at.toISOString().slice(0, 19).replaceAll(/[-T:]/g, "")}Z`;
  return at.getUTCFullYear() < firstGeneralizedYear
    ? tagged(tags.utcTime, Buffer.from(digits.slice(2)))
    : tagged(tags.generalizedTime, Buffer.from(digits));
}

const contextClass = 0x80;
const constructed = 0x20;

/** `[number]` around what is inside. */
export function explicit(number: number, content: Uint8Array): Buffer {
  return tagged(contextClass | constructed | number, content);
}

/** `[number]` in place of the value's own tag; `content` is what the value holds. */
export function implicit(number: number, content: Uint8Array): Buffer {
  return tagged(contextClass | number, content);
}
