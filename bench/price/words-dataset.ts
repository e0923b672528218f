/** A dataset of made-up texts, large enough that training on it takes longer than starting. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { declarationOf } from "../../data/declaration/shorthand.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { valueOf } from "../shared/value-of.ts";

const rowsOf = { train: 4_000, dev: 400 };
const wordsEach = 12;

/** Its path, in `folder`. */
export async function wordsDataset(folder: string): Promise<string> {
  for (const [name, rows] of Object.entries(rowsOf)) {
    const lines = Array.from({ length: rows }, (_, row) => {
      const words = Array.from({ length: wordsEach }, (__, at) =>
        letters(row * 131 + at * 977 + name.length),
      );
      return `${row % 2 === 0 ? "even" : "odd"} ${words.join(" ")}`;
    });
    writeFileSync(join(folder, `${name}.txt`), `${lines.join("\n")}\n`);
  }
  const declaration = declarationOf({
    format: "labelled-lines",
    name: "words",
    train: join(folder, "train.txt"),
    dev: join(folder, "dev.txt"),
    test: undefined,
    labels: undefined,
  });
  return valueOf(await buildDataset(declaration, { workDir: folder })).path;
}

/** In letters: texts that differ only in digits count as one. */
function letters(number: number): string {
  return [...String(number)].map((digit) => "abcdefghij"[Number(digit)]).join("");
}
