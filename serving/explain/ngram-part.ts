/** Which word or phrase each n-gram of a text belongs to, in the order in which `NgramSink` gives their buckets. */
import type { NgramSetting } from "../../training/sparse/ngram-sink.ts";

/** Stands for the beginning of the text in a phrase. */
export const textBegin = "^";

export function ngramParts(text: string, { charMax, charMin, wordNgrams }: NgramSetting): readonly string[] {
  const words = text
    .normalize("NFC")
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== "");
  const parts: string[] = [];
  for (const word of words) {
    // With the marks at its ends.
    const length = word.length + 2;
    for (let from = 0; charMax > 0 && from < length; from++) {
      for (let at = from; at < Math.min(length, from + charMax); at++) {
        const size = at - from + 1;
        if (size < charMin || (size === 1 && (from === 0 || from === length - 1))) continue;
        parts.push(word);
      }
    }
  }
  const marked = [textBegin, ...words];
  for (let from = 0; from < marked.length; from++)
    for (let to = from + 1; to <= Math.min(marked.length, from + wordNgrams); to++)
      if (to > 1) parts.push(marked.slice(from, to).join(" "));
  return parts;
}
