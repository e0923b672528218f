/** A stream of text as lines, whatever ends them; what a line means is the caller's. */
import type { Readable } from "node:stream";

const lineCharactersMax = 100_000;

/** `count` is told how many characters came, before their lines; of a line longer than the bound its end is kept. */
export function readLines(
  stream: Readable,
  onLine: (line: string) => void,
  count: (bytes: number) => void,
): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    count(text.length);
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "").slice(-lineCharactersMax);
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
