/** The bytes of a file or of standard input, block by block, with a look at the first of them before. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { recordBytesMax } from "../../data/source/record.ts";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { refuseDisk } from "../../system/system-error.ts";

const blockBytes = 256 * bytesPerKiB;
/** No line is longer and can be read. */
const headBytesMax = recordBytesMax + blockBytes;

export interface InputBlock {
  readonly block: Buffer;
  /** That have come so far. */
  readonly bytes: number;
  readonly isLast: boolean;
  /** How many bytes of the block are done with; the rest comes again at the head of the next. */
  keep(taken: number): void;
}

export interface ByteInput {
  readonly title: string;
  /** The first block, without a byte-order mark. */
  readonly head: Buffer;
  /** Null of a stream. */
  readonly bytes: number | null;
  /** To be asked once. */
  blocks(): AsyncGenerator<InputBlock>;
  /** Where nobody is going to. */
  close(): Promise<void>;
}

export const standardInput = "-";

/** `path`, or `-` for `stdin`. */
export async function openBytes(path: string, stdin: AsyncIterable<Uint8Array>): Promise<Outcome<ByteInput>> {
  const isStream = path === standardInput;
  const title = isStream ? "standard input" : path;
  try {
    const found = isStream ? null : await stat(path);
    if (found?.isDirectory() === true) return refuse("invalid", `${path} is a folder; name a file of rows`);
    const stream: AsyncIterable<Uint8Array> = isStream
      ? stdin
      : createReadStream(path, { highWaterMark: blockBytes });
    const chunks = stream[Symbol.asyncIterator]();
    let first = Buffer.alloc(0);
    let isOver = false;
    // A program that writes to a pipe may begin with less than a line; and a line may be longer than a block.
    while (!isOver && first.length < headBytesMax) {
      const hasLine = first.includes(newline);
      if (hasLine && (isStream || first.length >= blockBytes)) break;
      const next = await chunks.next();
      if (next.done === true) isOver = true;
      else first = Buffer.concat([first, next.value]);
    }
    const head = withoutMark(first);
    return accept({
      title,
      head,
      bytes: found?.isFile() === true ? found.size : null,
      blocks: () => blocksOf(head, first.length, isOver, chunks),
      close: async () => {
        await chunks.return?.();
      },
    });
  } catch (error) {
    return refuseDisk(error, "read", path);
  }
}

const newline = 0x0a;

function withoutMark(bytes: Buffer): Buffer {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}

async function* blocksOf(
  head: Buffer,
  read: number,
  isOver: boolean,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<InputBlock> {
  let block = head;
  let bytes = read;
  let isLast = isOver;
  for (;;) {
    let taken = 0;
    yield { block, bytes, isLast, keep: (done) => (taken = done) };
    if (isLast) return;
    const next = await chunks.next();
    const rest = block.subarray(taken);
    if (next.done === true) {
      isLast = true;
      block = rest;
    } else {
      bytes += next.value.length;
      block = rest.length === 0 ? Buffer.from(next.value) : Buffer.concat([rest, next.value]);
    }
  }
}
