/**
 * Standard output and error of this process, whoever reads them, or nobody. A command that prints and ends is over once its
 * reader is gone, as `| head` wants it. END-2: one that lasts goes on without a reader: its lines are dropped where nobody takes
 * them, and nothing that it does, least of all ending, waits for a line to be written.
 */
import { once } from "node:events";
import { systemCode } from "../../system/system-error.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { exitCode } from "../../protocol/exit-code.ts";

/** What waits for a slow reader at most; what comes beyond that is dropped. */
const waitingMaxBytes = bytesPerMiB;
/** Nobody is there any more: a pipe's reader has ended, a terminal was closed. */
const unread = new Set(["EPIPE", "EIO", "ECONNRESET", "ENOTCONN"]);

export interface Output {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** As `writeOut`; resolves once the reader has taken so much that there is room for more. */
  readonly pourOut: (text: string) => Promise<void>;
  /** From now on this process neither ends nor waits because of what it writes. */
  readonly last: () => void;
}

type Stream = NodeJS.WriteStream & { readonly fd: 1 | 2 };

export function processOutput(): Output {
  const { stderr, stdout } = process;
  let lasts = false;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: unknown) => {
      if (lasts) return;
      if (unread.has(systemCode(error) ?? "")) process.exit(exitCode.ok);
      if (stream === stdout) stderr.write(`trialmesh: its output could not be written: ${causeOf(error)}\n`);
      process.exit(exitCode.failed);
    });
  }
  const writeTo = (stream: Stream) => (text: string) => {
    if (lasts && (stream.destroyed || stream.writableLength > waitingMaxBytes)) return;
    stream.write(text);
  };
  return {
    writeOut: writeTo(stdout),
    writeErr: writeTo(stderr),
    pourOut: async (text) => {
      if (!stdout.write(text)) await once(stdout, "drain");
    },
    last() {
      lasts = true;
      for (const stream of [stdout, stderr]) neverBlock(stream);
    },
  };
}

function causeOf(error: unknown): string {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : (code ?? "its stream broke");
}

/** A terminal that shows nothing just now (ctrl-s, a terminal that is stopped) else holds up the process that writes to it. */
export function neverBlock(stream: object): void {
  if (!("_handle" in stream)) return;
  const { _handle: handle } = stream;
  if (typeof handle !== "object" || handle === null || !("setBlocking" in handle)) return;
  if (typeof handle.setBlocking === "function") Reflect.apply(handle.setBlocking, handle, [false]);
}
