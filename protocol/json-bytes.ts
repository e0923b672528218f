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

/**
 * As `fromBytes`, of what was taken before there was a limit on nesting: what stands deeper than `nestingMax` is null. Nothing of
 * ours stood so deep; only a value that somebody passed on without a look at it can have.
 */
export function fromOldBytes(bytes: Uint8Array): unknown {
  if (bytes.length <= lookedIntoBytes || !nestsTooDeep(bytes)) return fromBytes(bytes);
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    flatten(value);
    return value;
  } catch {
    return undefined;
  }
}

/** Without recursion, a level after the other. */
function flatten(value: unknown): void {
  let level = [value];
  for (let depth = 1; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== "object" || one === null) continue;
      for (const key of Object.keys(one)) {
        const inner: unknown = Reflect.get(one, key);
        if (typeof inner !== "object" || inner === null) continue;
        if (depth >= nestingMax) Reflect.set(one, key, null);
        else next.push(inner);
      }
    }
    level = next;
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
