/** JSON as the bytes of a message, and back. Parsing says "unknown": a schema decides what it is. */
const decoder = new TextDecoder("utf-8", { fatal: true });

export function toBytes(value: unknown): Uint8Array {
  // Some four times as fast as a TextEncoder.
  return Buffer.from(JSON.stringify(value));
}

/** The parsed value, or undefined when the bytes are no JSON text. */
export function fromBytes(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}
