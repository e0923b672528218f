/** Messages of the Open Inference Protocol over gRPC as a client writes and reads them, apart from the code that is tested; and calls over HTTP/2. */
import { connect, type ClientHttp2Session } from "node:http2";

/** A field: its number, and a whole number, a text or bytes; of a message its fields. */
export type Field = readonly [number: number, value: bigint | string | Uint8Array | readonly Field[]];

export function encoded(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === "bigint") return Buffer.concat([varint(BigInt(number) << 3n), varint(value)]);
      const bytes =
        typeof value === "string" ? Buffer.from(value) : value instanceof Uint8Array ? value : encoded(value);
      return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes]);
    }),
  );
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** Whole numbers and bytes by the numbers of their fields, as they come. */
export function decoded(bytes: Buffer): readonly (readonly [number, bigint | Buffer])[] {
  const found: (readonly [number, bigint | Buffer])[] = [];
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = number();
    if ((tag & 7n) === 0n) found.push([Number(tag >> 3n), number()]);
    else {
      const length = Number(number());
      found.push([Number(tag >> 3n), bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}

export interface CallAnswer {
  readonly status: number;
  readonly sentence: string;
  readonly message: Buffer | null;
}

export function framed(message: Uint8Array, isPacked = false): Buffer {
  const head = Buffer.alloc(5);
  head[0] = isPacked ? 1 : 0;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export class GrpcCaller {
  readonly #open: () => ClientHttp2Session;
  #session: ClientHttp2Session | null = null;

  constructor(url: string, options: { readonly ca?: string } = {}) {
    this.#open = () => connect(url, options).on("error", () => undefined);
  }

  /** A server closes one that is idle for long, as others in between may make it. */
  get session(): ClientHttp2Session {
    if (this.#session === null || this.#session.destroyed || this.#session.closed)
      this.#session = this.#open();
    return this.#session;
  }

  /** `body`: with its frame. */
  call(method: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<CallAnswer> {
    return new Promise((resolve, reject) => {
      const stream = this.session.request({
        ":method": "POST",
        ":path": `/inference.GRPCInferenceService/${method}`,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      });
      const parts: Buffer[] = [];
      let [status, sentence] = [-1, ""];
      const hear = (headers: Readonly<Record<string, unknown>>) => {
        const { "grpc-message": said, "grpc-status": code } = headers;
        if (code !== undefined) status = Number(code);
        if (typeof said === "string") sentence = decodeURIComponent(said);
      };
      stream.on("response", hear);
      stream.on("trailers", hear);
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("error", reject);
      stream.on("close", () => {
        const all = Buffer.concat(parts);
        resolve({ status, sentence, message: all.length >= 5 ? all.subarray(5) : null });
      });
      stream.end(body);
    });
  }

  close(): void {
    this.#session?.destroy();
  }
}
