/**
 * The events of the batch that is being decided, each as the text it will be in the journal. SIZE-1: a batch takes no more
 * inputs once it is half full, so that with what one more input may lead to it still fits one message of the server.
 */
import type { Event } from "../format/event.ts";

/** Characters of JSON, each at most three bytes of UTF-8: with `decisionCharactersMax` it stays below 1 MiB, the server's limit. */
export const batchCharactersMax = 160_000;
/** What a single input, or a single step of scheduling, may lead to; what comes in is bounded so that it holds. */
export const decisionCharactersMax = 180_000;

export class BatchTally {
  readonly events: Event[] = [];
  readonly texts: string[] = [];
  #characters = 0;

  push(event: Event): void {
    const text = JSON.stringify(event);
    this.events.push(event);
    this.texts.push(text);
    this.#characters += text.length;
  }

  get isFull(): boolean {
    return this.#characters >= batchCharactersMax;
  }
}
