/**
 * Messages that could not be processed, for people to look at (FAULT-1): each with a sentence, never tried again. The same of one
 * sender is one entry with a count, and of more than so many the oldest go. Kept beside the copy of the journal, not in it: whoever
 * can send what is wrong must not be able to fill up what is kept for ever. Each coordinator knows those of its own terms.
 */
import * as z from "zod";
import { textOf, shortText } from "../../protocol/bound.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { setAsideMessage, type SetAsideMessage } from "../../protocol/set-aside-view.ts";
import type { Store } from "../../store/store.ts";

const prefix = "aside/";
export const setAsideMax = 200;
const sentenceCharactersMax = 500;
/** A flood of wrong messages costs one write to the disk in this while. */
const writeEveryMs = 1_000;

const storedSchema = z.strictObject({ key: textOf(1_000), message: setAsideMessage });

/** What is noted of a message; `kind` is `command`, `report`, `heartbeat` or `registration`. */
export type NewSetAside = Pick<SetAsideMessage, "kind" | "sender" | "bytes" | "sentence">;

export class SetAside {
  readonly #store: Store;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #messages = new Map<string, SetAsideMessage>();
  readonly #onError: (error: unknown) => void;
  #willWrite = false;

  constructor(store: Store, clock: Clock, onError: (error: unknown) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onError = onError;
    for (const [, value] of store.range(prefix)) {
      const stored = storedSchema.safeParse(value);
      if (stored.success) this.#messages.set(stored.data.key, stored.data.message);
    }
  }

  /** Newest first. */
  list(): readonly SetAsideMessage[] {
    return [...this.#messages.values()].reverse();
  }

  note(given: NewSetAside): void {
    const sentence = given.sentence.slice(0, sentenceCharactersMax);
    const sender = shortText.safeParse(given.sender).data ?? "somebody with a name that is too long";
    const key = `${given.kind} ${sender} ${sentence}`;
    const at = this.#clock.now();
    const before = this.#messages.get(key);
    this.#messages.delete(key);
    this.#messages.set(key, {
      ...given,
      sender,
      sentence,
      firstAt: before?.firstAt ?? at,
      at,
      count: (before?.count ?? 0) + 1,
    });
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= setAsideMax) break;
      this.#messages.delete(oldest);
    }
    this.#writeSoon();
  }

  /** Resolves once all that was noted is on the disk. */
  async flush(): Promise<void> {
    const put = Array.from(
      this.#messages,
      ([key, message], place) => [`${prefix}${String(place).padStart(4, "0")}`, { key, message }] as const,
    );
    if (put.length > 0) await this.#store.write({ put, remove: [] });
  }

  #writeSoon(): void {
    if (this.#willWrite) return;
    this.#willWrite = true;
    this.#clock.setTimer(writeEveryMs, () => {
      this.#willWrite = false;
      this.flush().catch(this.#onError);
    });
  }
}
