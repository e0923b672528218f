/**
 * SERVE-11. Keys of callers: bearer tokens with a name and a rate. A token is looked up by its digest, so that neither memory nor timing tells
 * how much of a guess was right. What is in the file is a secret; nothing of it is ever said.
 */
import { hash } from "node:crypto";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";

/** So many characters of a token are not guessed. */
const tokenCharactersMin = 16;
const keysMax = 10_000;
/** A bucket holds what a second brings, and never less than one request. */
const bucketMin = 1;

interface CallerKey {
  readonly name: string;
  /** Requests a second; null for any number. */
  readonly rate: number | null;
  /** Requests that may be made at once. */
  bucket: number;
  /** When it was filled last, ms. */
  at: number;
}

export class CallerKeys {
  readonly #keys = new Map<string, CallerKey>();
  /** Of each connection, what its caller was let in with the last time: it is held against what they said themselves and nothing else. */
  readonly #lastOf = new WeakMap<object, { readonly authorization: string; readonly key: CallerKey }>();

  /** A line each: name, token, and requests a second where there is a bound; `#` begins a remark. */
  static read(text: string): Outcome<CallerKeys> {
    const keys = new CallerKeys();
    for (const [at, line] of text.split("\n").entries()) {
      const words = line.replace(/#.*$/, "").trim().split(/\s+/);
      if (words[0] === "") continue;
      const fault = keys.#add(words);
      if (fault !== null) return refuse("invalid", `line ${at + 1} of the keys: ${fault}`);
    }
    if (keys.#keys.size === 0)
      return refuse("invalid", "there is no key in the keys: a line each, with a name and a token");
    return accept(keys);
  }

  #add([name = "", token, rate, ...rest]: readonly string[]): string | null {
    if (token === undefined || rest.length > 0)
      return "it has to be a name, a token and, if there is a bound, requests a second";
    if (token.length < tokenCharactersMin)
      return `the token of ${quoted(name)} is short; it has to have ${tokenCharactersMin} characters`;
    const perSecond = rate === undefined ? null : Number(rate);
    if (perSecond !== null && !(perSecond > 0 && Number.isFinite(perSecond)))
      return `the rate of ${quoted(name)} is a number of requests a second above 0, not ${quoted(rate ?? "")}`;
    const digest = digestOf(token);
    if (this.#keys.has(digest)) return `the token of ${quoted(name)} stands twice`;
    if (this.#keys.size >= keysMax) return `there are more than ${keysMax} keys`;
    this.#keys.set(digest, { name, rate: perSecond, bucket: capacityOf(perSecond), at: 0 });
    return null;
  }

  /** Who it is, or why they may not. `isCounted`: whether it counts towards their rate; `connection`: the one that it came over. */
  admit(authorization: string | null, now: number, isCounted: boolean, connection: object): Reading<string> {
    const known = this.#keyOf(authorization, connection);
    if (!known.ok) return known;
    const key = known.value;
    if (!isCounted || key.rate === null) return { ok: true, value: key.name };
    key.bucket = Math.min(capacityOf(key.rate), key.bucket + (Math.max(0, now - key.at) * key.rate) / 1_000);
    key.at = now;
    if (key.bucket < 1) {
      const retryAfterSeconds = Math.max(1, Math.ceil((1 - key.bucket) / key.rate));
      return {
        ok: false,
        down: {
          status: 429,
          message: `the key of ${quoted(key.name)} allows ${key.rate} requests a second`,
          retryAfterSeconds,
        },
      };
    }
    key.bucket--;
    return { ok: true, value: key.name };
  }

  #keyOf(authorization: string | null, connection: object): Reading<CallerKey> {
    const last = this.#lastOf.get(connection);
    if (last !== undefined && last.authorization === authorization) return { ok: true, value: last.key };
    const token = authorization === null ? null : tokenOf(authorization);
    if (authorization === null || token === null)
      return turnDown(401, "a key is needed: send the header Authorization: Bearer TOKEN");
    const key = this.#keys.get(digestOf(token));
    if (key === undefined) return turnDown(401, "the key is not known here");
    this.#lastOf.set(connection, { authorization, key });
    return { ok: true, value: key };
  }
}

function capacityOf(rate: number | null): number {
  return rate === null ? 0 : Math.max(bucketMin, rate);
}

function tokenOf(authorization: string): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;
}

function digestOf(token: string): string {
  return hash("sha256", token, "base64");
}
