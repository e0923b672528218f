/**
 * Files as a tar archive in the form `ustar` (POSIX.1-1988), which every `tar` reads: no links, no owners, no times, so that the
 * same files give the same bytes. Not a reader of archives.
 */
import { createReadStream } from "node:fs";

const blockBytes = 512;
const nameBytesMax = 100;
const prefixBytesMax = 155;
/** Eleven octal digits. */
const sizeBytesMax = 8 ** 11 - 1;

export interface TarEntry {
  readonly path: string;
  readonly executable: boolean;
  readonly bytes: number;
  /** A file to read, or the bytes themselves. */
  readonly content: { readonly file: string } | Uint8Array;
}

/** Throws where a file is no longer of the size it was listed with. */
export async function* tarArchive(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    yield headerOf(entry);
    let seen = 0;
    for await (const part of partsOf(entry)) {
      seen += part.length;
      yield part;
    }
    if (seen !== entry.bytes) throw new Error(`${entry.path} changed while it was packed`);
    const over = seen % blockBytes;
    if (over > 0) yield new Uint8Array(blockBytes - over);
  }
  yield new Uint8Array(2 * blockBytes);
}

function partsOf({ content }: TarEntry): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return content instanceof Uint8Array ? [content] : createReadStream(content.file);
}

function headerOf({ bytes, executable, path }: TarEntry): Uint8Array {
  const { name, prefix } = splitPath(path);
  if (bytes > sizeBytesMax) throw new Error(`${path} is larger than an archive takes`);
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, length: number): void =>
    void header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  header.write(name, 0, "utf8");
  octal(executable ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(0, 136, 12);
  header.write("        ", 148, "latin1");
  header.write("0", 156, "latin1");
  header.write("ustar\0" + "00", 257, "latin1");
  header.write(prefix, 345, "utf8");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** A long path is cut at a slash into prefix and name. */
function splitPath(path: string): { readonly prefix: string; readonly name: string } {
  if (Buffer.byteLength(path) <= nameBytesMax) return { prefix: "", name: path };
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= nameBytesMax && Buffer.byteLength(prefix) <= prefixBytesMax)
      return { prefix, name };
  }
  throw new Error(`the path ${path} is longer than an archive takes`);
}
