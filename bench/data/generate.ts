/**
 * A CSV to measure with: news-like rows with a class index, a title, a description with stray HTML and escapes, some rows
 * twice, some twice under another class. Seeded; about 200 bytes a row. Its words are made up: only their lengths and how
 * often they come are like a language's.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { randomStream } from "../../search/space/random-stream.ts";

export const classNames = ["World", "Sports", "Business", "Sci/Tech"];
const words = 30_000;
const phrases = 60_000;
const phraseWords = { least: 4, most: 9 } as const;
/** Shares of rows. */
const repeated = 0.04;
const contradicted = 0.1; // of the repeated
const withHtml = 0.05;
const withPerson = 0.002;
/** Rows that a repeated one is drawn from. */
const remembered = 10_000;
const blockBytes = 4 * bytesPerMiB;

/** Returns the size in bytes. */
export function generateCsv(path: string, rows: number, seed: number): number {
  const random = randomStream(seed, "bench-data", 0);
  const below = (count: number) => Math.floor(random.next() * count);
  const letters = "etaoinshrdlucmfwypvbgk";
  const lexicon = Array.from({ length: words }, () =>
    Array.from(
      { length: 2 + below(8) },
      () => letters[Math.floor(letters.length * random.next() ** 2)] ?? "e",
    ).join(""),
  );
  // Zipf: the n-th word comes with 1 / n.
  const word = () => lexicon[Math.floor(words ** random.next()) - 1] ?? "the";
  const pool = Array.from({ length: phrases }, () =>
    Array.from({ length: phraseWords.least + below(phraseWords.most - phraseWords.least + 1) }, word).join(
      " ",
    ),
  );
  const phrase = () => pool[below(phrases)] ?? "";
  const block = Buffer.alloc(blockBytes);
  const file = openSync(path, "w");
  let filled = 0;
  let bytes = 0;
  const write = (line: string) => {
    if (filled + 4 * line.length > blockBytes) {
      bytes += writeSync(file, block, 0, filled);
      filled = 0;
    }
    filled += block.write(line, filled);
  };
  const memory: (readonly [number, string])[] = [];
  write("class,title,description,price\n");
  for (let row = 0; row < rows; row++) {
    let [label, text] = memory[below(remembered)] ?? [0, ""];
    const repeats = text !== "" && random.next() < repeated;
    if (!repeats) {
      label = 1 + below(classNames.length);
      const html = random.next() < withHtml ? ` &amp; <b>${word()}</b> it&#39;s` : "";
      const person =
        random.next() < withPerson ? ` mail ${word()}@${word()}.com or 555-201-${1000 + below(9000)}` : "";
      text = `${phrase()},"${phrase()} ${phrase()} ${phrase()}${html}${person}, ${word()}${below(1_000_000)}"`;
      memory[row % remembered] = [label, text];
    } else if (random.next() < contradicted) {
      label = 1 + (label % classNames.length);
    }
    write(`${label},${text},${(random.next() ** 3 * 1000).toFixed(2)}\n`);
  }
  bytes += writeSync(file, block, 0, filled);
  closeSync(file);
  return bytes;
}
