/**
 * The one message of a call, received whole and unpacked within bounds: a byte that says whether it is packed, its length, itself, and nothing
 * after it. Nothing is said of one that breaks off.
 */
import type { ServerHttp2Stream } from "node:http2";
import { gunzip, inflate, type InputType } from "node:zlib";
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";
import { bodyBytesMax } from "../protocol/serving-limit.ts";
import { connectionLimits } from "../server/connection-limit.ts";
import type { HeldBytes } from "../server/receive-body.ts";

const headBytes = 5;

type Done = (message: Reading<Buffer>) => void;

/** `encoding`: `grpc-encoding`; null where none was said. `done` is called once, or never where the call breaks off. */
export function receiveMessage(
  stream: ServerHttp2Stream,
  encoding: string | null,
  held: HeldBytes,
  done: Done,
): void {
  const parts: Buffer[] = [];
  let size = 0;
  let isOver = false;
  let counted = 0;
  const finish = (message: Reading<Buffer>) => {
    if (isOver) return;
    isOver = true;
    parts.length = 0;
    done(message);
  };
  stream.once("close", () => {
    held.bytes -= counted;
    counted = 0;
  });
  stream.on("data", (part: Buffer) => {
    if (isOver) return;
    size += part.length;
    if (size > bodyBytesMax + headBytes) return finish(tooLarge());
    if (held.bytes + part.length > connectionLimits.heldBytesMax) return finish(tooMuchHeld());
    held.bytes += part.length;
    counted += part.length;
    parts.push(part);
  });
  stream.on("end", () => {
    if (!isOver) unpack(Buffer.concat(parts), encoding, finish);
  });
}

function unpack(whole: Buffer, encoding: string | null, done: Done): void {
  if (whole.length < headBytes) return done(turnDown(400, "the call has no message"));
  const length = whole.readUInt32BE(1);
  const left = whole.length - headBytes;
  if (length !== left)
    return done(
      turnDown(400, `the message says it has ${length} bytes, and ${left} were sent; a call has one message`),
    );
  const message = whole.subarray(headBytes);
  if (whole[0] === 0) return done({ ok: true, value: message });
  const unpacking = unpackers.get(encoding ?? "");
  if (whole[0] !== 1 || unpacking === undefined)
    return done(
      turnDown(400, `the message is packed as ${quoted(encoding ?? "")}; gzip and deflate are understood`),
    );
  unpacking(message, (fault, value) => {
    if (fault === null) return done({ ok: true, value });
    const isLarge = "code" in fault && fault.code === "ERR_BUFFER_TOO_LARGE";
    done(
      isLarge ? tooLarge() : turnDown(400, `the message is not ${encoding ?? ""}, as it says, or is cut off`),
    );
  });
}

type Unpack = (packed: InputType, done: (fault: Error | null, value: Buffer) => void) => void;
const options = { maxOutputLength: bodyBytesMax };
const unpackers: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ["gzip", (packed, done) => gunzip(packed, options, done)],
  ["deflate", (packed, done) => inflate(packed, options, done)],
]);

function tooLarge() {
  return turnDown(413, `the message is too large; one call has at most ${bodyBytesMax} bytes, unpacked`);
}

function tooMuchHeld(): Reading<Buffer> {
  const message = "too much is being received at once; try again later";
  return { ok: false, down: { status: 429, message, retryAfterSeconds: 1 } };
}
