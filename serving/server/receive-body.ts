/**
 * The body of a request, received whole and unpacked, with every size bounded: what is declared, what comes, what it unpacks to. One
 * that is too large is read to its end within a bound, so that its sender hears the answer. Nothing is said of one that breaks off.
 */
import type { IncomingMessage } from "node:http";
import { gunzip, inflate, type InputType } from "node:zlib";
import { bodyBytesMax } from "../protocol/serving-limit.ts";
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";
import { connectionLimits } from "./connection-limit.ts";

export interface ExpectedBody {
  /** `Content-Length`; null where it is not said. */
  readonly length: number | null;
  /** `Content-Encoding`; null where none is. */
  readonly encoding: string | null;
}

/** What all bodies hold that are still coming: `bytes` goes up with each part and down when its body is whole or breaks off. */
export interface HeldBytes {
  bytes: number;
}

type Done = (body: Reading<Buffer>) => void;

const { discardBytesMax, heldBytesMax } = connectionLimits;

export function receiveBody(
  request: IncomingMessage,
  { encoding, length }: ExpectedBody,
  held: HeldBytes,
  done: Done,
): void {
  if (length !== null && length > discardBytesMax) return done(tooLarge());
  const parts: Buffer[] = [];
  let size = 0;
  let refused: Reading<Buffer> | null = length !== null && length > bodyBytesMax ? tooLarge() : null;
  let isOver = false;
  const finish = (body: Reading<Buffer>) => {
    if (isOver) return;
    isOver = true;
    done(body);
  };
  let counted = 0;
  const release = () => {
    held.bytes -= counted;
    counted = 0;
  };
  request.on("data", (part: Buffer) => {
    size += part.length;
    // Most come in one part, of which there is nothing to count.
    if (refused === null && parts.length === 0 && size === length) {
      parts.push(part);
      return;
    }
    if (parts.length === 0 && refused === null) request.once("close", release);
    if (refused !== null) {
      if (size > discardBytesMax) finish(refused);
      return;
    }
    if (size > bodyBytesMax) refused = tooLarge();
    else if (held.bytes + part.length > heldBytesMax) refused = tooMuchHeld();
    if (refused === null) {
      parts.push(part);
      counted += part.length;
      held.bytes += part.length;
    } else {
      parts.length = 0;
      release();
    }
  });
  request.on("end", () => {
    release();
    if (refused !== null) return finish(refused);
    const [only] = parts;
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size);
    if (encoding === null || encoding === "identity") return finish({ ok: true, value: bytes });
    unpack(bytes, encoding, finish);
  });
}

function unpack(bytes: Buffer, encoding: string, done: Done): void {
  const how = { gzip: gunzip, "x-gzip": gunzip, deflate: inflate }[encoding.toLowerCase()];
  if (how === undefined)
    return done(turnDown(415, `a body is packed with gzip or deflate, not with ${quoted(encoding)}`));
  const input: InputType = bytes;
  how(input, { maxOutputLength: bodyBytesMax }, (fault, unpacked) => {
    if (fault === null) return done({ ok: true, value: unpacked });
    const isTooLarge = "code" in fault && fault.code === "ERR_BUFFER_TOO_LARGE";
    done(
      isTooLarge
        ? tooLarge()
        : turnDown(400, `the body is not ${encoding}, as its Content-Encoding says, or is cut off`),
    );
  });
}

function tooLarge() {
  return turnDown(413, `the body is too large; one request has at most ${bodyBytesMax} bytes, unpacked`);
}

function tooMuchHeld(): Reading<Buffer> {
  const message = "too much is being received at once; try again later";
  return { ok: false, down: { status: 429, message, retryAfterSeconds: 1 } };
}
