/**
 * A coordinator's own copy of the journal's messages, each verified or its own: a server that lost its tail gets it back from
 * here (JOURNAL-5). A store of its own, which survives whatever becomes of the projection. Not a second journal: nothing is decided
 * on it.
 */
import * as z from "zod";
import type { Store } from "../../store/store.ts";
import { hashOf } from "./batch.ts";
import { startPosition, type Position } from "./journal.ts";

/** Of what is stored here, and how. */
export const journalCopyVersion = "journal-copy-1";

const prefix = "journal/";
const endKey = "end";
const endSchema = z.strictObject({
  sequence: z.int().nonnegative(),
  hash: z.string(),
  /** Absent where it was last written before messages were signed. */
  signedFrom: z.int().positive().nullable().default(null),
});
/** Messages moved in one write. */
const movedAtOnce = 1_000;

export class JournalCopy {
  readonly #store: Store;
  #fresh: [string, Uint8Array][] = [];
  #end: Position;

  constructor(store: Store) {
    this.#store = store;
    const stored = endSchema.safeParse(store.get(endKey));
    this.#end = stored.success ? stored.data : startPosition;
  }

  /** The last message it holds, those to be written with the next flush included. */
  get end(): Position {
    return this.#end;
  }

  /** Notes a message to be written with the next flush; what is held already is left as it is. */
  add(position: Position, bytes: Uint8Array): void {
    if (position.sequence <= this.#end.sequence) return;
    this.#fresh.push([keyOf(position.sequence), bytes]);
    this.#end = position;
  }

  /** The message at this place of the journal, or null. */
  at(sequence: number): Uint8Array | null {
    const bytes = this.#store.get(keyOf(sequence));
    return bytes instanceof Uint8Array ? bytes : null;
  }

  /** Resolves once what was noted is on the disk; what the disk refuses is noted for the next flush. */
  async flush(): Promise<void> {
    if (this.#fresh.length === 0) return;
    const flushed = this.#fresh;
    this.#fresh = [];
    try {
      await this.#store.write({ put: [...flushed, [endKey, this.#end] as const], remove: [] });
    } catch (error) {
      this.#fresh = [...flushed, ...this.#fresh];
      throw error;
    }
  }
}

/** Takes over the copy that lies in a projection's store: up to its version 3 it lay there, under the same keys. */
export async function moveCopy(from: Store, into: Store): Promise<number> {
  let put: [string, unknown][] = [];
  let moved = 0;
  let end: Position = startPosition;
  const write = async () => {
    await into.write({ put: [...put, [endKey, end]], remove: [] });
    moved += put.length;
    put = [];
  };
  for (const [key, bytes] of from.range(prefix)) {
    const sequence = Number(key.slice(prefix.length));
    // Up to the first gap: what lies beyond could not be put back.
    if (!(bytes instanceof Uint8Array) || sequence !== end.sequence + 1) break;
    put.push([key, bytes]);
    // Versions that kept it there signed nothing.
    end = { sequence, hash: hashOf(bytes), signedFrom: null };
    if (put.length >= movedAtOnce) await write();
  }
  if (put.length > 0) await write();
  return moved;
}

/** Keys sort as text, so the number has a fixed width. */
function keyOf(sequence: number): string {
  return `${prefix}${String(sequence).padStart(12, "0")}`;
}
