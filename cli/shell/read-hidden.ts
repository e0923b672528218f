/** A value that must stand on no command line and no screen: standard input as a whole, or a line typed without being shown. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

const inputMaxBytes = 64 * bytesPerKiB;

/** One line end at its end is none of its own. */
export async function readHidden(question: string): Promise<Outcome<string>> {
  const text = process.stdin.isTTY ? await typed(question) : await piped();
  if (text === null)
    return refuse("invalid", "the value on standard input is too long, or is no text in UTF-8");
  const value = text.replace(/\r?\n$/, "");
  return value === ""
    ? refuse("invalid", "no value was given; pipe one in, as in `< token.txt`")
    : accept(value);
}

async function piped(): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin) {
    if (!Buffer.isBuffer(part)) return null;
    bytes += part.length;
    if (bytes > inputMaxBytes) return null;
    chunks.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return null;
  }
}

function typed(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve) => {
    reader.once("close", () => resolve(""));
    reader.question("", (line) => {
      process.stderr.write("\n");
      resolve(line);
      reader.close();
    });
  });
}
