/**
 * The short code of an invitation: what it looks like, how a slip in typing it is told, and the key it stands for. Whoever
 * knows the code can work out the key of an account in which nothing but the exchange can be asked, and nobody else can. The code of a mesh
 * that speaks with TLS holds the pin of its authority too, so that whoever comes with it knows the server before anything is said.
 * Not who was invited (`invitation.ts`), nor what the code is exchanged for (`exchange.ts`).
 */
import type { KeyPair } from "@nats-io/nkeys";
import { pinBytes } from "../protocol/certificate/authority-pin.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { derivedAccount } from "./derived-account.ts";

/**
 * Version 3 is a code that is exchanged for credentials, 4 one with the mesh's pin; 1 and 2 held the credentials themselves. Both are read.
 */
export const codePrefix = "tm4.";
export const plainCodePrefix = "tm3.";
/** Crockford's base 32: no letter is read as a digit, and none of them is left out by ear. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const symbolBits = 5;
/** 90 bits: nobody guesses them, not even with what a listener on the network can check a guess against. */
const secretSymbols = 18;
/** Of the pin: its 128 bits, and two that are 0. */
const pinSymbols = Math.ceil((pinBytes * 8) / symbolBits);
const checkSymbols = 2;
const groupSymbols = 4;
/** Bytes of chance that a code is made of. */
export const codeSecretBytes = Math.ceil((secretSymbols * symbolBits) / 8);

/** The greatest prime below what the check's symbols can say, and a number whose powers differ for all of a code's places. */
const checkModulus = 1021;
const checkBase = 37;

/** What a code says. */
export interface InvitationCode {
  /** The code as `codeOf` writes it. */
  readonly code: string;
  /** Of the mesh's authority, `pinBytes` long; null where the mesh speaks without TLS. */
  readonly pin: Uint8Array | null;
}

/** The code of `codeSecretBytes` bytes of chance: `tm3.xxxx-xxxx-xxxx-xxxx-xxxx`, and longer with a pin. */
export function codeOf(secret: Uint8Array, pin: Uint8Array | null = null): string {
  if (secret.length < codeSecretBytes) throw new Error("too little chance for an invitation's code");
  if (pin !== null && pin.length !== pinBytes) throw new Error(`a pin has ${pinBytes} bytes`);
  const values = [...valuesOf(secret, secretSymbols), ...(pin === null ? [] : valuesOf(pin, pinSymbols))];
  return written(pin === null ? plainCodePrefix : codePrefix, [...values, ...checkOf(values)]);
}

/** The code, however it was typed: dashes or none, capitals, `o` for 0, `i` and `l` for 1. */
export function readCode(typed: string): Outcome<InvitationCode> {
  const text = typed.trim().toLowerCase();
  const prefix = [codePrefix, plainCodePrefix].find((known) => text.startsWith(known));
  if (prefix === undefined)
    return refuse("invalid", `a code of an invitation starts with ${codePrefix} or ${plainCodePrefix}`);
  const symbols = text
    .slice(prefix.length)
    .replaceAll(/[-\s]/g, "")
    .replaceAll("o", "0")
    .replaceAll(/[il]/g, "1");
  const values = Array.from(symbols, (symbol) => alphabet.indexOf(symbol));
  const strange = [...symbols].find((symbol) => !alphabet.includes(symbol));
  if (strange !== undefined)
    return refuse("invalid", `the invitation's code has no "${strange}"; look at it again`);
  const saidSymbols = prefix === codePrefix ? secretSymbols + pinSymbols : secretSymbols;
  if (values.length !== saidSymbols + checkSymbols) {
    const much = values.length < saidSymbols + checkSymbols ? "cut short" : "too long";
    return refuse(
      "invalid",
      `the invitation's code is ${much}: it has ${values.length} letters and digits instead of ${saidSymbols + checkSymbols}`,
    );
  }
  const said = values.slice(0, saidSymbols);
  const pin = prefix === codePrefix ? bytesOf(said.slice(secretSymbols)) : null;
  const code = written(prefix, values);
  // The pin's last bits say nothing, and are written in one way only.
  const isRight =
    written(prefix, [...said, ...checkOf(said)]) === code &&
    (pin === null || valuesOf(pin, pinSymbols).at(-1) === said.at(-1));
  return isRight
    ? accept({ code, pin })
    : refuse(
        "invalid",
        "there is a slip in the invitation's code: a letter or digit is another; look at it again",
      );
}

/** The first bits of the bytes, as values of symbols; what the bytes lack is 0. */
function valuesOf(bytes: Uint8Array, count: number): readonly number[] {
  const values: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of [...bytes, 0]) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= symbolBits && values.length < count; bits -= symbolBits)
      values.push((held >>> (bits - symbolBits)) & 31);
    held &= (1 << bits) - 1;
  }
  return values;
}

/** The whole bytes in values of symbols. */
function bytesOf(values: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const value of values) {
    held = (held << symbolBits) | value;
    bits += symbolBits;
    if (bits >= 8) bytes.push((held >>> (bits -= 8)) & 0xff);
    held &= (1 << bits) - 1;
  }
  return Uint8Array.from(bytes);
}

/** The key that the code stands for, of a NATS account. */
export function accountOfCode(code: string): KeyPair {
  return derivedAccount(new TextEncoder().encode(code), "trialmesh invitation");
}

/** A weighted sum: one wrong symbol changes it, and so do any two that were swapped. */
function checkOf(said: readonly number[]): readonly number[] {
  let sum = 0;
  let weight = 1;
  for (const value of said) {
    weight = (weight * checkBase) % checkModulus;
    sum = (sum + value * weight) % checkModulus;
  }
  return [sum >> symbolBits, sum & 31];
}

function written(prefix: string, values: readonly number[]): string {
  const symbols = values.map((value) => alphabet[value] ?? "");
  const groups = Array.from({ length: Math.ceil(symbols.length / groupSymbols) }, (_, group) =>
    symbols.slice(group * groupSymbols, (group + 1) * groupSymbols).join(""),
  );
  return prefix + groups.join("-");
}
