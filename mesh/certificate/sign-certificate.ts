/**
 * Writes and signs an X.509 certificate (RFC 5280) over an ECDSA key of curve P-256. What it says is given; whom to give one is
 * decided in `authority.ts`, and whether to believe one in `check-certificate.ts`.
 */
import { createHash, sign, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  explicit,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  setOf,
  time,
  utf8,
  yes,
} from "./der.ts";

/** Another name of a certificate's holder. */
export type HolderName =
  | { readonly kind: "host"; readonly name: string }
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "uri"; readonly uri: string };

export interface CertificateContent {
  /** Up to `commonNameBytesMax` bytes each. */
  readonly subject: string;
  readonly issuer: string;
  /** Whose certificate it is. */
  readonly publicKey: KeyObject;
  /** The public half of the key that signs. */
  readonly issuerKey: KeyObject;
  readonly names: readonly HolderName[];
  /** Unix time in ms; counted in whole seconds. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Whether it may sign others. */
  readonly isAuthority: boolean;
  /** Of chance, `serialBytes` of them. */
  readonly serial: Uint8Array;
}

/** RFC 5280, appendix A.1. */
export const commonNameBytesMax = 64;
export const serialBytes = 16;

const version3 = Buffer.from([2]);
const ecdsaWithSha256 = sequence(objectId("1.2.840.10045.4.3.2"));
const commonName = objectId("2.5.4.3");
const serverUse = objectId("1.3.6.1.5.5.7.3.1");
const clientUse = objectId("1.3.6.1.5.5.7.3.2");
const noBytes = Buffer.alloc(0);
/** Bits of a key's use, the first on the left: 0 signs, 5 signs certificates, 6 signs lists of revoked ones. */
const signsOnly = { bits: 0b1000_0000, unused: 7 };
const signsCertificates = { bits: 0b0000_0110, unused: 1 };

/** In PEM. Throws where the content breaks a limit above, or the key is not of P-256. */
export function signCertificate(content: CertificateContent, key: KeyObject): string {
  const { fromMs, issuer, publicKey, serial, subject, untilMs } = content;
  if (serial.length !== serialBytes) throw new Error(`a certificate's number has ${serialBytes} bytes`);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new Error("certificates of a mesh are signed with a key of P-256");
  const body = sequence(
    explicit(0, integer(version3)),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(fromMs), time(untilMs)),
    nameOf(subject),
    spkiOf(publicKey),
    explicit(3, sequence(...extensionsOf(content))),
  );
  const whole = sequence(body, ecdsaWithSha256, bitString(sign("sha256", body, key)));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** A public key as it stands in a certificate, in DER. */
export function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: "der", type: "spki" });
}

function nameOf(text: string): Buffer {
  if (Buffer.byteLength(text) > commonNameBytesMax)
    throw new Error(`a name in a certificate has ${commonNameBytesMax} bytes at most`);
  return sequence(setOf(sequence(commonName, utf8(text))));
}

function extensionsOf({ isAuthority, issuerKey, names, publicKey }: CertificateContent): readonly Buffer[] {
  const use = isAuthority ? signsCertificates : signsOnly;
  const critical = (id: string, value: Buffer) => sequence(objectId(id), yes(), octetString(value));
  const extension = (id: string, value: Buffer) => sequence(objectId(id), octetString(value));
  return [
    // The authority signs holders, and no further authorities.
    critical("2.5.29.19", isAuthority ? sequence(yes(), integer(Buffer.from([0]))) : sequence()),
    critical("2.5.29.15", bitString(Buffer.from([use.bits]), use.unused)),
    ...(isAuthority ? [] : [extension("2.5.29.37", sequence(serverUse, clientUse))]),
    extension("2.5.29.14", octetString(keyId(publicKey))),
    extension("2.5.29.35", sequence(implicit(0, keyId(issuerKey)))),
    ...(names.length === 0 ? [] : [extension("2.5.29.17", sequence(...names.map(generalName)))]),
  ];
}

/** RFC 7093, 2: the first 160 bits of the SHA-256 of the key. */
function keyId(publicKey: KeyObject): Buffer {
  return createHash("sha256").update(spkiOf(publicKey)).digest().subarray(0, 20);
}

function generalName(name: HolderName): Buffer {
  switch (name.kind) {
    case "host":
      return implicit(2, Buffer.from(name.name, "ascii"));
    case "uri":
      return implicit(6, Buffer.from(name.uri, "ascii"));
    case "address":
      return implicit(7, addressBytes(name.address));
  }
}

/** Of an IPv4 or IPv6 address, 4 or 16 bytes; throws for anything else. */
function addressBytes(address: string): Buffer {
  switch (isIP(address)) {
    case 4:
      return Buffer.from(address.split(".").map(Number));
    case 6:
      return sixteenBytes(address);
    default:
      throw new Error(`${address} is not an IP address`);
  }
}

const groupsOfIpv6 = 8;

function sixteenBytes(address: string): Buffer {
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const [before, after] = [groupsOf(head), tail === undefined ? [] : groupsOf(tail)];
  const gap = tail === undefined ? 0 : groupsOfIpv6 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: gap }, () => 0), ...after];
  return groups.length === groupsOfIpv6
    ? Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
    : noBytes;
}

/** Numbers of 16 bits; an IPv4 address at the end makes two. */
function groupsOf(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
