/**
 * The fields of a message of protocol buffers, read in place without knowing what they mean (protobuf.dev/programming-guides/encoding). What
 * does not add up throws a `WireError`; nothing is copied, and the bytes of a field are never more than there are.
 */

export interface WireField {
  readonly field: number;
  /** Where its tag begins and where it ends, within the message. */
  readonly start: number;
  readonly end: number;
  /** Of a varint, as far as it is a whole number that JavaScript has; null of other fields. */
  readonly value: number | null;
  /** Of a field with a length; null of other fields. */
  readonly bytes: Uint8Array | null;
}

export class WireError extends Error {}

const varintBytesMax = 10;

export function* wireFields(message: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let byte = 0; byte < varintBytesMax; byte++) {
      const next = message[at++];
      if (next === undefined) throw new WireError("a number is cut off");
      value |= BigInt(next & 0x7f) << BigInt(7 * byte);
      if (next < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new WireError("a number has no end");
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (field < 1) throw new WireError("a field has no number");
    switch (tag % 8) {
      case 0: {
        const value = varint();
        yield { field, start, end: at, value, bytes: null };
        break;
      }
      case 2: {
        const length = varint();
        if (length < 0 || length > message.length - at) throw new WireError("a field is cut off");
        const bytes = message.subarray(at, at + length);
        at += length;
        yield { field, start, end: at, value: null, bytes };
        break;
      }
      case 1:
      case 5: {
        at += tag % 8 === 1 ? 8 : 4;
        if (at > message.length) throw new WireError("a number is cut off");
        yield { field, start, end: at, value: null, bytes: null };
        break;
      }
      default:
        throw new WireError("a field is of no known kind");
    }
  }
}
