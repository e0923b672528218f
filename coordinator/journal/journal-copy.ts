/**
 * A coordinator's own copy of the journal's messages, each verified or its own: a server that lost its tail gets it back from
 * here (JOURNAL-5). A store of its own, which survives whatever becomes of the projection. Not a second journal: nothing is decided
 * on it.
 */
import * as z from "zod";
import type { Store } from "../../store/store.ts";
import { hashOf } from "./batch.ts";
import { startPosition, type Head, type Position } from "./journal.ts";
import { prevOf } from "./link.ts";
import type { WholeJournal } from "./salvage.ts";
import type { SignedAt } from "./signed-at.ts";

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
/** A head that others have seen, and the journal did not bear out. */
const seenKey = "seen";
const seenSchema = z.strictObject({ sequence: z.int().positive(), hash: z.string() });
/** Messages moved in one write. */
const movedAtOnce = 1_000;

export class JournalCopy {
  readonly #store: Store;
  /** Noted, and not yet on the disk. */
  #fresh = new Map<string, Uint8Array>();
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
    this.#fresh.set(keyOf(position.sequence), bytes);
    this.#end = position;
  }

  /** The message at this place of the journal, or null. */
  at(sequence: number): Uint8Array | null {
    const key = keyOf(sequence);
    const bytes = this.#fresh.get(key) ?? this.#store.get(key);
    return bytes instanceof Uint8Array ? bytes : null;
  }

  /** Resolves once what was noted is on the disk; what the disk refuses is noted for the next flush. */
  async flush(): Promise<void> {
    if (this.#fresh.size === 0) return;
    const noted = [...this.#fresh];
    await this.#store.write({ put: [...noted, [endKey, this.#end]], remove: [] });
    for (const [key, bytes] of noted) if (this.#fresh.get(key) === bytes) this.#fresh.delete(key);
  }

  /** A head that an agent has proved, beyond this copy or other than it; null where there never was one. */
  get seen(): Head | null {
    return seenSchema.safeParse(this.#store.get(seenKey)).data ?? null;
  }

  /** Kept for the next start, and for whoever restores the journal. */
  async noteSeen({ hash, sequence }: Head): Promise<void> {
    await this.#store.write({ put: [[seenKey, { sequence, hash }]], remove: [] });
  }

  /** Puts the right message where a damaged one lies, or none; with the next flush. */
  mend(sequence: number, bytes: Uint8Array): void {
    if (sequence <= this.#end.sequence) this.#fresh.set(keyOf(sequence), bytes);
  }

  /** Takes over all that is missing or otherwise here; on the disk once it resolves. */
  async takeOver({ at, end, hashes }: Pick<WholeJournal, "at" | "end" | "hashes">): Promise<void> {
    this.#end = end;
    for (const [index, hash] of hashes.entries()) {
      const ours = this.at(index + 1);
      if (ours === null || hashOf(ours) !== hash) this.mend(index + 1, at(index + 1));
      if (this.#fresh.size >= movedAtOnce) await this.flush();
    }
    await this.#store.write({ put: [[endKey, end]], remove: [] });
    await this.flush();
  }

  /**
   * JOURNAL-9: reads all of it, and sets its end right where what is stored of that is damaged: otherwise a journal that is
   * shorter than the copy would go unnoticed. Returns what is damaged, in a few words, or null.
   */
  examine(signedAt: SignedAt): string | null {
    let faulty: number | null = null;
    let last: Head = startPosition;
    let lastBytes: Uint8Array = new Uint8Array();
    for (const [key, bytes] of this.#store.range(prefix)) {
      const sequence = Number(key.slice(prefix.length));
      if (!(bytes instanceof Uint8Array)) continue;
      if (sequence !== last.sequence + 1 || prevOf(bytes) !== last.hash) faulty ??= last.sequence + 1;
      last = { sequence, hash: hashOf(bytes) };
      lastBytes = bytes;
    }
    const { hash, sequence } = this.#end;
    if (last.sequence === sequence && last.hash === hash) return faulty === null ? null : placeOf(faulty);
    // The last message is gone, or its end is not what it was: whichever the message itself bears out.
    const unsigned = faulty === null && sequence === 0 ? { ...last, signedFrom: null } : null;
    const found = signedAt(last.sequence, lastBytes) ?? unsigned;
    if (last.sequence < sequence || found === null) return placeOf(faulty ?? sequence);
    this.#end = found;
    return faulty === null ? "in what it says of its end" : placeOf(faulty);
  }
}

function placeOf(sequence: number): string {
  return `at message ${sequence}`;
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
