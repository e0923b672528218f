/**
 * Room for the chunks of one artifact that are coming in, are verified and are written: used again and again, and aligned to pages, so
 * that a disk can take it directly, and other threads can see it. Not here: how much of it is used, and who is made to wait.
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { chunkBytesMax } from "../chunk-tree.ts";

/** Of which the compiler has no types where there is no browser. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => { readonly buffer: SharedArrayBuffer };
};

/** All the room there can be: more connections than that are never read from at once. */
const roomsMax = 64;
const pagesOfChunk = chunkBytesMax / (64 * bytesPerKiB);

export class ChunkBuffers {
  /** It is taken from the system as it is first used. */
  readonly #memory = new WebAssembly.Memory({
    initial: roomsMax * pagesOfChunk,
    maximum: roomsMax * pagesOfChunk,
    shared: true,
  });
  readonly #spare = Array.from({ length: roomsMax }, (_, room) => room * chunkBytesMax).toReversed();

  take(bytes: number): Bytes {
    const at = this.#spare.pop();
    return at === undefined ? new Uint8Array(bytes) : new Uint8Array(this.#memory.buffer, at, bytes);
  }

  give(data: Bytes): void {
    if (data.buffer === this.#memory.buffer) this.#spare.push(data.byteOffset);
  }
}
