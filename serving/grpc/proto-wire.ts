/**
 * Protocol Buffers on the wire (protobuf.dev, "Encoding"): fields with numbers read one by one out of bytes, and written. It knows no message: what
 * a field means is `infer-message.ts`. What is no message is noted once, and from then on nothing more is read.
 */
import { isUtf8 } from "node:buffer";

/** How a field lies there; groups are none of ours and a fault. */
type WireType = 0 | 1 | 2 | 5;
const varintBytesMax = 10;

/** One for a message and all that lies in it: the first thing that was wrong. */
export interface WireFault {
  what: string | null;
}

export class WireReader {
  readonly #bytes: Buffer;
  readonly #fault: WireFault;
  #at = 0;
  #type: WireType = 0;

  constructor(bytes: Buffer, fault: WireFault) {
    this.#bytes = bytes;
    this.#fault = fault;
  }

  /** The next field's number; 0 at the end, or where something is wrong. */
  next(): number {
    if (this.#fault.what !== null || this.#at >= this.#bytes.length) return 0;
    const tag = Number(this.#varint());
    const type = tag & 7;
    const field = Math.floor(tag / 8);
    if (field === 0 || (type !== 0 && type !== 1 && type !== 2 && type !== 5))
      return this.#wrong("a field that is none");
    this.#type = type;
    return field;
  }

  skip(): void {
    if (this.#type === 0) this.#varint();
    else if (this.#type === 2) this.bytes();
    else this.#take(this.#type === 1 ? 8 : 4);
  }

  /** As a signed whole number of 64 bits; beyond what a number holds exactly, the nearest. */
  integer(): number {
    return Number(BigInt.asIntN(64, this.#ofType(0) ? this.#varint() : 0n));
  }

  unsigned(): number {
    return Number(this.#ofType(0) ? this.#varint() : 0n);
  }

  boolean(): boolean {
    return this.#ofType(0) && this.#varint() !== 0n;
  }

  double(): number {
    if (!this.#ofType(1)) return 0;
    const at = this.#take(8);
    return at === -1 ? 0 : this.#bytes.readDoubleLE(at);
  }

  bytes(): Buffer {
    if (!this.#ofType(2)) return Buffer.alloc(0);
    const length = Number(this.#varint());
    const at = this.#take(length);
    return at === -1 ? Buffer.alloc(0) : this.#bytes.subarray(at, at + length);
  }

  text(): string {
    const bytes = this.bytes();
    if (isUtf8(bytes)) return bytes.toString("utf8");
    this.#wrong("a text that is not in UTF-8");
    return "";
  }

  message(): WireReader {
    return new WireReader(this.bytes(), this.#fault);
  }

  /** Of numbers, which may lie together in one field or each in its own; `read` is one of the readers above. */
  repeated<T>(into: T[], size: 0 | 4 | 8, read: (reader: WireReader) => T): void {
    if (this.#type !== 2) {
      into.push(read(this));
      return;
    }
    const inside = new WireReader(this.bytes(), this.#fault);
    inside.#type = size === 0 ? 0 : size === 8 ? 1 : 5;
    while (this.#fault.what === null && inside.#at < inside.#bytes.length) into.push(read(inside));
  }

  float(): number {
    if (!this.#ofType(5)) return 0;
    const at = this.#take(4);
    return at === -1 ? 0 : this.#bytes.readFloatLE(at);
  }

  #varint(): bigint {
    let value = 0n;
    for (let index = 0; index < varintBytesMax; index++) {
      const at = this.#take(1);
      if (at === -1) return 0n;
      const byte = this.#bytes[at] ?? 0;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    this.#wrong("a number without an end");
    return 0n;
  }

  /** Where the next `count` bytes begin; -1 where there are not so many. */
  #take(count: number): number {
    const at = this.#at;
    if (this.#fault.what !== null) return -1;
    if (count > this.#bytes.length - at) {
      this.#wrong("a field that is cut off");
      return -1;
    }
    this.#at = at + count;
    return at;
  }

  #ofType(type: WireType): boolean {
    if (this.#type === type) return true;
    this.#wrong("a field of another type");
    return false;
  }

  #wrong(what: string): 0 {
    this.#fault.what ??= what;
    return 0;
  }
}

export class WireWriter {
  readonly #parts: Uint8Array[] = [];

  get parts(): readonly Uint8Array[] {
    return this.#parts;
  }

  /** An empty text and a false are not written, as everywhere where they are what is left out. */
  text(field: number, text: string): this {
    return text === "" ? this : this.bytes(field, Buffer.from(text, "utf8"));
  }

  boolean(field: number, value: boolean): this {
    if (value) this.#parts.push(varint(field * 8), varint(1));
    return this;
  }

  bytes(field: number, ...pieces: readonly Uint8Array[]): this {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#parts.push(varint(field * 8 + 2), varint(length), ...pieces);
    return this;
  }

  message(field: number, inside: WireWriter): this {
    return this.bytes(field, ...inside.#parts);
  }

  /** Whole numbers of 64 bits, together in one field. */
  integers(field: number, values: readonly number[]): this {
    return values.length === 0 ? this : this.bytes(field, ...values.map(varint));
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
