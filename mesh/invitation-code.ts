/**
 * The short code of an invitation: what it looks like, how a slip in typing it is told, and the key it stands for. Whoever
 * knows the code can work out the key of an account in which nothing but the exchange can be asked, and nobody else can.
 * Not who was invited (`invitation.ts`), nor what the code is exchanged for (`exchange.ts`).
 */
import type { KeyPair } from "@nats-io/nkeys";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { derivedAccount } from "./derived-account.ts";

/** Version 3 is a code that is exchanged for credentials; 1 and 2 held the credentials themselves. */
export const codePrefix = "tm3.";
/** Crockford's base 32: no letter is read as a digit, and none of them is left out by ear. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const symbolBits = 5;
/** 90 bits: nobody guesses them, not even with what a listener on the network can check a guess against. */
const secretSymbols = 18;
const checkSymbols = 2;
const groupSymbols = 4;
const codeSymbols = secretSymbols + checkSymbols;
/** Bytes of chance that a code is made of. */
export const codeSecretBytes = Math.ceil((secretSymbols * symbolBits) / 8);

/** The greatest prime below what the check's symbols can say, and a number whose powers differ for all of a code's places. */
const checkModulus = 1021;
const checkBase = 37;

/** The code of `codeSecretBytes` bytes of chance: `tm3.xxxx-xxxx-xxxx-xxxx-xxxx`. */
export function codeOf(secret: Uint8Array): string {
  if (secret.length < codeSecretBytes) throw new Error("too little chance for an invitation's code");
  const values: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of secret) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= symbolBits && values.length < secretSymbols; bits -= symbolBits)
      values.push((held >>> (bits - symbolBits)) & 31);
    held &= (1 << bits) - 1;
  }
  return written([...values, ...checkOf(values)]);
}

/** The code as `codeOf` writes it, however it was typed: dashes or none, capitals, `o` for 0, `i` and `l` for 1. */
export function readCode(typed: string): Outcome<string> {
  const text = typed.trim().toLowerCase();
  if (!text.startsWith(codePrefix))
    return refuse("invalid", `a code of an invitation starts with ${codePrefix}`);
  const symbols = text
    .slice(codePrefix.length)
    .replaceAll(/[-\s]/g, "")
    .replaceAll("o", "0")
    .replaceAll(/[il]/g, "1");
  const values = Array.from(symbols, (symbol) => alphabet.indexOf(symbol));
  const strange = [...symbols].find((symbol) => !alphabet.includes(symbol));
  if (strange !== undefined)
    return refuse("invalid", `the invitation's code has no "${strange}"; look at it again`);
  if (values.length !== codeSymbols) {
    const much = values.length < codeSymbols ? "cut short" : "too long";
    return refuse(
      "invalid",
      `the invitation's code is ${much}: it has ${values.length} letters and digits instead of ${codeSymbols}`,
    );
  }
  const secret = values.slice(0, secretSymbols);
  if (written([...secret, ...checkOf(secret)]) !== written(values))
    return refuse(
      "invalid",
      "there is a slip in the invitation's code: a letter or digit is another; look at it again",
    );
  return accept(written(values));
}

/** The key that the code stands for, of a NATS account. */
export function accountOfCode(code: string): KeyPair {
  return derivedAccount(new TextEncoder().encode(code), "trialmesh invitation");
}

/** A weighted sum: one wrong symbol changes it, and so do any two that were swapped. */
function checkOf(secret: readonly number[]): readonly number[] {
  let sum = 0;
  let weight = 1;
  for (const value of secret) {
    weight = (weight * checkBase) % checkModulus;
    sum = (sum + value * weight) % checkModulus;
  }
  return [sum >> symbolBits, sum & 31];
}

function written(values: readonly number[]): string {
  const symbols = values.map((value) => alphabet[value] ?? "");
  const groups = Array.from({ length: Math.ceil(symbols.length / groupSymbols) }, (_, group) =>
    symbols.slice(group * groupSymbols, (group + 1) * groupSymbols).join(""),
  );
  return codePrefix + groups.join("-");
}
