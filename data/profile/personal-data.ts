/**
 * What looks like personal data: e-mail addresses, telephone numbers, IPv4 addresses, card numbers (Luhn's check digit,
 * ISO/IEC 7812) and IBANs (ISO 13616, mod 97). Names and addresses of people are not looked for, and a number may always
 * mean something else: these are places to look at, not verdicts.
 */
import type { PersonalKind } from "./profile.ts";

export interface PersonalMatch {
  readonly kind: PersonalKind;
  /** Enough to find it again, too little to use it. */
  readonly masked: string;
}

const email = /(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}(?![\w-])/giu;
const address = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/gu;
const card = /(?<![\d.,-])[3-6]\d{3}(?:[ -]?\d{2,6}){2,4}(?![\d-])/gu;
const iban = /(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Z0-9])/gu;
/** With a country's +, in North America's groups, or with a leading 0: other runs of digits are too often something else. */
const phone = new RegExp(
  [
    String.raw`(?<![\w+])\+\d{1,3}[ .\/-]?(?:\(\d{1,4}\)[ .\/-]?)?\d{1,4}(?:[ .\/-]?\d{2,4}){1,5}(?![\w])`,
    String.raw`(?<![\w.-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[ .-]\d{4}(?![\w-])`,
    String.raw`(?<![\w.-])\(?0\d{2,4}\)?[ \/-]\d{3,4}(?:[ -]?\d{2,4}){1,2}(?![\w-])`,
  ].join("|"),
  "gu",
);
const phoneDigits = { least: 8, most: 15 } as const;
const cardDigits = { least: 13, most: 19 } as const;
const ibanUnits = { least: 15, most: 34 } as const;
/** Most texts have neither, and then nothing here can match. */
const numbers = /(?:\d\D{0,2}){6}\d/;
const dotted = /\d\.\d/;

/** Each piece of text counts once: what is a card number is not a telephone number too. */
export function personalData(text: string): readonly PersonalMatch[] {
  const found: PersonalMatch[] = [];
  replacePersonal(text, (kind, match) => {
    found.push({ kind, masked: mask(kind, match) });
    return " ".repeat(match.length);
  });
  return found;
}

/** The text with the kind of each in its place, for a log that is not to hold any. */
export function withoutPersonal(text: string): string {
  return replacePersonal(text, (kind) => `[${kind}]`);
}

function replacePersonal(text: string, by: (kind: PersonalKind, match: string) => string): string {
  const at = text.includes("@");
  const withNumbers = numbers.test(text);
  const withDots = dotted.test(text);
  if (!at && !withNumbers && !withDots) return text;
  let rest = text;
  const take = (kind: PersonalKind, pattern: RegExp, holds: (match: string) => boolean) => {
    rest = rest.replace(pattern, (match) => (holds(match) ? by(kind, match) : match));
  };
  if (at) take("e-mail", email, () => true);
  if (withNumbers) take("iban", iban, isIban);
  if (withNumbers) take("credit-card", card, isCard);
  if (withDots) take("ip-address", address, () => true);
  if (!withNumbers) return rest;
  take("phone", phone, (match) => {
    const digits = digitsOf(match).length;
    return digits >= phoneDigits.least && digits <= phoneDigits.most;
  });
  return rest;
}

function digitsOf(match: string): string {
  return match.replaceAll(/\D/gu, "");
}

export function isCard(match: string): boolean {
  const digits = digitsOf(match);
  if (digits.length < cardDigits.least || digits.length > cardDigits.most) return false;
  if (/^(\d)\1*$/u.test(digits)) return false;
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const twice = place % 2 === 1 ? 2 * digit : digit;
    sum += twice > 9 ? twice - 9 : twice;
  }
  return sum % 10 === 0;
}

export function isIban(match: string): boolean {
  const plain = match.replaceAll(" ", "");
  if (plain.length < ibanUnits.least || plain.length > ibanUnits.most) return false;
  let rest = 0;
  for (const unit of plain.slice(4) + plain.slice(0, 4)) {
    const value = Number.parseInt(unit, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

const shownEnd = 2;

function mask(kind: PersonalKind, match: string): string {
  if (kind === "e-mail") {
    const [user = "", host = ""] = match.split("@");
    return `${user.slice(0, 1)}***@${host.slice(0, 1)}***${host.slice(host.lastIndexOf("."))}`;
  }
  if (kind === "ip-address") return `${match.split(".")[0] ?? ""}.*.*.*`;
  const hidden = match.slice(0, -shownEnd).replaceAll(/[A-Za-z0-9]/gu, "*");
  return (kind === "iban" ? match.slice(0, 2) + hidden.slice(2) : hidden) + match.slice(-shownEnd);
}
