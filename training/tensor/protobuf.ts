/**
 * The few wire types of protocol buffers that graphs of other runtimes are written with (protobuf.dev/programming-guides/encoding).
 * It writes only, and knows no message: what a field means is the caller's.
 */

export function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

export function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

export function textField(field: number, text: string): Buffer {
  return bytesField(field, Buffer.from(text));
}

export function floatField(field: number, value: number): Buffer {
  const number = Buffer.alloc(4);
  number.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), number]);
}

/** A field whose bytes come in pieces, which are not copied: weights are large. */
export function piecesField(field: number, pieces: readonly Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [Buffer.concat([varint((field << 3) | 2), varint(length)]), ...pieces];
}

const negativeOne = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);

/** Seven bits a byte, lowest first; -1, the only one below zero that graphs need, as ten bytes. */
function varint(value: number): Buffer {
  if (value === -1) return negativeOne;
  const bytes = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
