/**
 * The journal over the bus: follows it, and appends with a fence. JOURNAL-2: an append says the sequence
 * it must come after, so of two leaders only one can write. JOURNAL-3: an append whose answer was lost is
 * read back before anything is concluded.
 */
import {
  BusError,
  type AppendResult,
  type Bus,
  type Bytes,
  type StreamState,
} from "../../protocol/bus/bus.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import { streamsOf } from "../../protocol/subjects.ts";
import type { Event } from "../format/event.ts";
import { encodeBatch, genesisHash, hashOf, journalFormat, type Batch, type NewBatch } from "./batch.ts";
import { prevOf } from "./link.ts";
import { readSealed, sealBatch, type CoordinatorKeys } from "./seal.ts";

/** Where a follower stands: the last message it has applied. */
export interface Position {
  readonly sequence: number;
  readonly hash: string;
  /** The sequence of the first signed message; null as long as there is none. */
  readonly signedFrom: number | null;
}

export const startPosition: Position = { sequence: 0, hash: genesisHash, signedFrom: null };

/** A position as another says it: of which message of the journal it has seen what. */
export type Head = Pick<Position, "sequence" | "hash">;

export const startHead: Head = { sequence: 0, hash: genesisHash };

/** A message as it lies on the server, of which only the link to the one before it was looked at. */
export interface LinkedEntry {
  readonly head: Head;
  readonly bytes: Uint8Array;
}

export interface JournalEntry {
  readonly position: Position;
  readonly batch: Batch;
  readonly bytes: Uint8Array;
}

/** A batch that is to stand at its position, as the bytes it will be there. */
export type NewEntry = Pick<JournalEntry, "position" | "bytes">;

/** The journal contradicts what was seen of it. Nothing may be decided on it: the coordinator halts. */
export class JournalBroken extends Error {
  override readonly name = "JournalBroken";
}

/**
 * The journal goes on in words of a version after this one. Nothing may be decided without them: whoever meets this waits.
 * Its message is one sentence, with what to do.
 */
export class JournalNewer extends Error {
  override readonly name = "JournalNewer";
}

/** `signer` for a coordinator; whoever only reads needs none. */
export type JournalKeys = Pick<CoordinatorKeys, "trust"> & Partial<Pick<CoordinatorKeys, "signer">>;

const readBack = { pauseMs: 500 } as const;
const entriesPerRead = 256;

export class Journal {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #mesh: string;
  readonly #stream: string;
  readonly #keys: JournalKeys;
  /** Learned from the stream: it holds a secret. */
  #subject: string | null = null;

  constructor(bus: Bus, mesh: string, clock: Clock, keys: JournalKeys) {
    this.#bus = bus;
    this.#clock = clock;
    this.#mesh = mesh;
    this.#stream = streamsOf(mesh).journal;
    this.#keys = keys;
  }

  /** The batch that comes right after `from`, which need not be durable yet: its hash says what it rests on. */
  entryAfter(
    from: Position,
    epoch: number,
    at: number,
    { events, texts }: Pick<NewBatch, "events" | "texts">,
  ): NewEntry {
    const { signer } = this.#keys;
    if (signer === undefined) throw new Error("whoever has no coordinator's key can only read the journal");
    const sequence = from.sequence + 1;
    const signedFrom = from.signedFrom ?? sequence;
    const batch = encodeBatch({
      epoch,
      prev: from.hash,
      at,
      signedFrom,
      events,
      ...(texts === undefined ? null : { texts }),
    });
    const bytes = sealBatch(signer, this.#mesh, batch);
    return { position: { sequence, hash: hashOf(bytes), signedFrom }, bytes };
  }

  /**
   * Entries after `from`, in order, verified against signatures and hash chain; [] when there are none yet. They end before
   * one that a newer version wrote; where that comes first, JournalNewer is thrown.
   */
  async readAfter(from: Position): Promise<readonly JournalEntry[]> {
    const raw = await this.#bus.readStream(this.#stream, from.sequence + 1, entriesPerRead);
    const entries: JournalEntry[] = [];
    let previous = from;
    for (const { sequence, data } of raw) {
      assertNext(previous.sequence, sequence);
      const reading = readSealed(this.#keys.trust, this.#mesh, data, sequence, previous.signedFrom);
      if (reading.kind === "broken")
        throw new JournalBroken(`journal message ${sequence} cannot be read: ${reading.what}`);
      if (reading.kind === "newer") {
        if (entries.length > 0) break;
        throw new JournalNewer(
          `journal message ${sequence} was written by a newer version of trialmesh (${reading.what}); this coordinator waits and does not lead until it is upgraded`,
        );
      }
      const { batch } = reading;
      if (batch.prev !== previous.hash) throw notFollowing(sequence);
      const signedFrom = batch.v === journalFormat ? batch.signedFrom : null;
      previous = { sequence, hash: hashOf(data), signedFrom };
      entries.push({ position: previous, batch, bytes: data });
    }
    return entries;
  }

  /** What the server counts, which need not be what it has; null where it has no journal at all. */
  async state(): Promise<StreamState | null> {
    try {
      return await this.#bus.streamState(this.#stream);
    } catch (error) {
      if (error instanceof BusError && error.kind === "no-stream") return null;
      throw error;
    }
  }

  /**
   * Up to `limit` messages after `from`, each of which carries the hash of the one before it. Where the last of them is what
   * was seen there, so are all. Throws JournalBroken for a gap or a message that does not follow.
   */
  async readLinked(from: Head, limit: number): Promise<readonly LinkedEntry[]> {
    const raw = await this.#bus.readStream(this.#stream, from.sequence + 1, limit);
    let previous = from;
    return raw.map(({ data, sequence }) => {
      assertNext(previous.sequence, sequence);
      if (prevOf(data) !== previous.hash) throw notFollowing(sequence);
      previous = { sequence, hash: hashOf(data) };
      return { head: previous, bytes: data };
    });
  }

  /** JOURNAL-4: a journal that is shorter than, or differs from, what we have seen has lost data. */
  async verify(seen: Head): Promise<void> {
    if (seen.sequence === 0) return;
    const { lastSequence } = await this.#bus.streamState(this.#stream);
    if (lastSequence < seen.sequence) {
      throw new JournalBroken(
        `the server's journal ends at message ${lastSequence}, but message ${seen.sequence} has been seen: it has lost its tail`,
      );
    }
    const [entry] = await this.#bus.readStream(this.#stream, seen.sequence, 1);
    if (entry === undefined || entry.sequence !== seen.sequence || hashOf(entry.data) !== seen.hash) {
      throw new JournalBroken(`journal message ${seen.sequence} is not the one that was seen before`);
    }
  }

  /**
   * Appends a batch right after `from`. Returns the new entry once it is durable, or null when another
   * leader has written there. While the server is away it waits: what was decided stays decided.
   */
  async append(
    from: Position,
    epoch: number,
    at: number,
    events: readonly Event[],
    keepTrying: () => boolean,
  ): Promise<NewEntry | null> {
    const entry = this.entryAfter(from, epoch, at, { events });
    return (await this.write(entry, keepTrying)) ? entry : null;
  }

  /** `append` of an entry made before. One at a time: the next is written once this one is known to be there. */
  async write({ position, bytes }: NewEntry, keepTrying: () => boolean): Promise<boolean> {
    for (;;) {
      try {
        const result = await this.#put(bytes, position.sequence - 1);
        if (result.kind === "appended" && result.sequence === position.sequence) return true;
        return await this.#isOurs(position);
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (!keepTrying() || error.kind === "closed") return false;
        await sleep(this.#clock, readBack.pauseMs);
      }
    }
  }

  /**
   * JOURNAL-5: puts back the tail a server has lost, from our copy, if what it still has is the beginning of what we have: all
   * of it read, whatever the server counts. Returns how many messages were put back.
   */
  async restore(seen: Position, copyAt: (sequence: number) => Bytes | null): Promise<number> {
    let had: Head = startHead;
    for (;;) {
      const next = (await this.readLinked(had, entriesPerRead)).at(-1);
      if (next === undefined) break;
      had = next.head;
    }
    const { lastSequence } = await this.#bus.streamState(this.#stream);
    if (lastSequence !== had.sequence)
      throw new JournalBroken(
        `the server counts ${lastSequence} messages in the journal and has ${had.sequence}; nothing was put back`,
      );
    const ours = had.sequence === 0 ? null : copyAt(had.sequence);
    if (had.sequence > 0 && (ours === null || hashOf(ours) !== had.hash))
      throw new JournalBroken(
        `the server's journal differs from our copy at message ${had.sequence}; nothing was put back`,
      );
    for (let sequence = had.sequence + 1; sequence <= seen.sequence; sequence++) {
      const bytes = copyAt(sequence);
      if (bytes === null)
        throw new JournalBroken(`our copy has no message ${sequence}; what came before it was put back`);
      const result = await this.#put(bytes, sequence - 1);
      if (result.kind !== "appended")
        throw new JournalBroken("another coordinator writes to the journal; restore it from there");
    }
    return Math.max(0, seen.sequence - had.sequence);
  }

  async #put(bytes: Bytes, expectLastSequence: number): Promise<AppendResult> {
    this.#subject ??= (await this.#bus.streamSubjects(this.#stream))[0] ?? null;
    if (this.#subject === null) throw new JournalBroken("the server's journal stream stores no subject");
    try {
      return await this.#bus.append(this.#stream, this.#subject, bytes, { expectLastSequence });
    } catch (error) {
      // A journal that was restored may have another.
      this.#subject = null;
      throw error;
    }
  }

  /** JOURNAL-3: our own bytes at that place mean the append went through and only its answer was lost. */
  async #isOurs(position: Position): Promise<boolean> {
    const [entry] = await this.#bus.readStream(this.#stream, position.sequence, 1);
    return (
      entry !== undefined && entry.sequence === position.sequence && hashOf(entry.data) === position.hash
    );
  }
}

function assertNext(previous: number, sequence: number): void {
  if (sequence === previous + 1) return;
  throw new JournalBroken(`the journal has no message ${previous + 1}; the next one is ${sequence}`);
}

function notFollowing(sequence: number): JournalBroken {
  return new JournalBroken(`journal message ${sequence} does not follow from message ${sequence - 1}`);
}
