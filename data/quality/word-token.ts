/**
 * Tokens of a text, for the fast models that judge data. Not the tokens that tasks train on: these are coarse on purpose
 * (case, digits and spacing are gone) and work without a word list in any script.
 */
import { fnv1a, fnvBasis } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import { normaliseText } from "../row/split.ts";

/** Scripts that do not part words: each character is a token. Otherwise words, and single signs. */
const tokenPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]/gu;
/** Texts are judged by their beginning. */
const tokensMost = 1000;
const unitsMost = 20_000;

export function tokensOf(text: string): readonly string[] {
  const found = normaliseText(text.slice(0, unitsMost)).match(tokenPattern) ?? [];
  return found.length > tokensMost ? found.slice(0, tokensMost) : found;
}

/** 0 to 2³² - 1: FNV-1a, well mixed at the end; `seed` continues an earlier hash. */
export function tokenHash(token: string, seed: number = fnvBasis): number {
  return mixUnsigned(fnv1a(token, seed));
}
