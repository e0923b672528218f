/** JSON as the bytes of a message, and back. Parsing says "unknown": a schema decides what it is. */
const decoder = new TextDecoder("utf-8", { fatal: true });

export function toBytes(value: unknown): Uint8Array {
  // Some four times as fast as a TextEncoder.
  return Buffer.from(JSON.stringify(value));
}

/** No message of ours comes near it; what walks a value by recursion has room for it. */
const nestingMax = 100;
/** Shorter texts cannot be nested so deep that anything overflows, and most messages are shorter. */
const lookedIntoBytes = 1_000;

/** The parsed value, or undefined when the bytes are no JSON text, or one nested deeper than `nestingMax`. */
export function fromBytes(bytes: Uint8Array): unknown {
  if (bytes.length > lookedIntoBytes && nestsTooDeep(bytes)) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

/** Brackets outside of texts, counted on the bytes: in UTF-8 none of these is part of another character. */
function nestsTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inText) {
      if (byte === backslash) at++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > nestingMax) return true;
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return false;
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [34, 92, 91, 93, 123, 125];
