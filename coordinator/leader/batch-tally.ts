/**
 * The events of the batch that is being decided, each as the text it will be in the journal. SIZE-1: a batch takes no more
 * inputs once it is full, so that with what one more input, or one more step, may lead to it still fits one message of the
 * server. What may lead to more than that hands out its events in parts, and asks here before each (SIZE-2).
 */
import { bytesPerKiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Event } from "../format/event.ts";

/** From here on a batch takes no more. */
export const batchBytesMax = 256 * bytesPerKiB;
/**
 * What a single input, or a single step, may lead to. A sweep's specification stands up to three times in the events that
 * a command of `commandBytesMax` leads to: as it is, and as the two fingerprints of it.
 */
export const decisionBytesMax = 640 * bytesPerKiB;
/** Around the events: the head of the batch, certificate and signature. */
const sealBytesMax = 16 * bytesPerKiB;
/** The server's own limit on a message, unless its owner has set another. */
export const messageBytesMax = bytesPerMiB;

if (batchBytesMax + decisionBytesMax + sealBytesMax > messageBytesMax)
  throw new Error("broken invariant: a batch may be larger than a message");

export class BatchTally {
  readonly events: Event[] = [];
  readonly texts: string[] = [];
  #bytes = 0;

  push(event: Event): void {
    const text = JSON.stringify(event);
    this.events.push(event);
    this.texts.push(text);
    // The comma between two.
    this.#bytes += Buffer.byteLength(text) + 1;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= batchBytesMax;
  }
}
