/**
 * Room for the chunks of one artifact that are coming in, are verified and are written: used again and again, and so many that
 * memory is bounded however quick the network and however slow the disk. Not here: who is made to wait.
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import { chunkBytesMax } from "../chunk-tree.ts";

/** From here on nothing more is read; then each connection may end the chunk that it is in. 24 MiB, and 1 for each of them. */
const usedMax = 24;
const usedLow = 12;
const spareMax = 24;

export class ChunkBuffers {
  readonly #spare: ArrayBuffer[] = [];
  #used = 0;

  get isFull(): boolean {
    return this.#used >= usedMax;
  }

  get isLow(): boolean {
    return this.#used <= usedLow;
  }

  take(bytes: number): Bytes {
    this.#used++;
    return new Uint8Array(this.#spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytesMax).buffer, 0, bytes);
  }

  give(data: Bytes): void {
    this.#used--;
    if (this.#spare.length < spareMax && data.buffer instanceof ArrayBuffer) this.#spare.push(data.buffer);
  }
}
