/**
 * Texts as fixed-length token numbers for the convolutional model, and the vocabulary they come from.
 * Token 0 fills up short texts, token 1 stands for all that training saw too seldom.
 */
import type { Example } from "../../data/row/dataset-rows.ts";

export type TokenUnit = "char" | "word";

export interface Vocabulary {
  readonly unit: TokenUnit;
  readonly tokens: readonly string[];
  readonly numberOf: ReadonlyMap<string, number>;
}

export const vocabularyMax = 20_000;
const countMin = 2;
const reserved = 2;
const unknown = 1;

/** The most frequent tokens of the training split, ties in code unit order. */
export function vocabularyOf(examples: readonly Example[], unit: TokenUnit): Vocabulary {
  const counts = new Map<string, number>();
  for (const { text } of examples) {
    for (const token of tokensOf(text, unit)) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  const kept = [...counts].filter(([, count]) => count >= countMin);
  kept.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  return vocabularyFrom(
    unit,
    kept.slice(0, vocabularyMax).map(([token]) => token),
  );
}

export function vocabularyFrom(unit: TokenUnit, tokens: readonly string[]): Vocabulary {
  return { unit, tokens, numberOf: new Map(tokens.map((token, index) => [token, index + reserved])) };
}

/** Rows of the embedding table. */
export function vocabularySize(vocabulary: Vocabulary): number {
  return vocabulary.tokens.length + reserved;
}

/** [texts, length] token numbers; what goes beyond `length` is cut off. */
export function tokenRows(texts: readonly string[], vocabulary: Vocabulary, length: number): Int32Array {
  const rows = new Int32Array(texts.length * length);
  texts.forEach((text, row) => {
    let at = 0;
    for (const token of tokensOf(text, vocabulary.unit)) {
      if (at === length) break;
      rows[row * length + at++] = vocabulary.numberOf.get(token) ?? unknown;
    }
  });
  return rows;
}

function tokensOf(text: string, unit: TokenUnit): string[] {
  const normal = text.normalize("NFC").trim();
  // A space at both ends tells the convolution where words begin and end.
  return unit === "char" ? [..." ", ...normal, " "] : normal.toLowerCase().split(/\s+/u);
}
