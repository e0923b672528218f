/** The first line of a stream, for what no command line may show. Reads no more of it than a line may have. */
import type { Readable } from "node:stream";
import { sentenceCharactersMax } from "../../protocol/bound.ts";

/** Empty where the stream ends without one. */
export async function firstLine(stream: Readable): Promise<string> {
  let text = "";
  for await (const part of stream.setEncoding("utf8")) {
    text += String(part);
    if (text.includes("\n") || text.length > sentenceCharactersMax) break;
  }
  return (text.split("\n", 1)[0] ?? "").trim().slice(0, sentenceCharactersMax);
}
