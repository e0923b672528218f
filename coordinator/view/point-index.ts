/**
 * Where in a stream the messages of each attempt lie: of one subject each, told apart by the fence in them. Each message is looked at
 * once, when somebody asks for the first time after it came; so a question costs what is new and what it is about, however
 * much others have said. Of the messages themselves the newest are remembered (`recent-message.ts`).
 */
import * as z from "zod";
import type { Bus, Bytes, DatedEntry } from "../../protocol/bus/bus.ts";
import { fenceSchema } from "../../protocol/id.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { RecentMessages } from "./recent-message.ts";
import { SpanMemory, type Span } from "./span-memory.ts";

const perRead = 1_000;
/** Subjects remembered, the one longest not asked about forgotten first; it is then read once more. */
const subjectsMax = 500;
/** Attempts of one subject; a stream keeps no more messages of it. */
const fencesMax = 40_000;
const fencedSchema = z.object({ fence: fenceSchema });

interface Known {
  next: number;
  readonly spans: SpanMemory;
  reading: Promise<void>;
}

export class PointIndex {
  readonly #bus: Bus;
  readonly #known = new Map<string, Known>();
  readonly #recent = new RecentMessages();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Where the messages with this fence lie on this subject, as of now; null where there is none. `caughtUp`: subjects that
   * the same question has asked about already, and needs no newer answer of. Throws BusError.
   */
  async spanOf(
    stream: string,
    subject: string,
    fence: number,
    caughtUp: Set<string> = new Set(),
  ): Promise<Span | null> {
    const known = this.#of(subject);
    if (caughtUp.has(subject)) return known.spans.get(fence);
    caughtUp.add(subject);
    const reading = known.reading.catch(() => undefined).then(() => this.#catchUp(stream, subject, known));
    known.reading = reading;
    await reading;
    return known.spans.get(fence);
  }

  /** Those of sequences from `first` to `last` that `spanOf` has just looked at; null where they have to be read. */
  recent(subject: string, first: number, last: number): readonly DatedEntry[] | null {
    return this.#recent.between(subject, first, last);
  }

  #of(subject: string): Known {
    const known = this.#known.get(subject) ?? {
      next: 1,
      spans: new SpanMemory(fencesMax),
      reading: Promise.resolve(),
    };
    this.#known.delete(subject);
    this.#known.set(subject, known);
    const oldest = this.#known.keys().next();
    if (this.#known.size > subjectsMax && oldest.done !== true) {
      this.#known.delete(oldest.value);
      this.#recent.drop(oldest.value);
    }
    return known;
  }

  async #catchUp(stream: string, subject: string, known: Known): Promise<void> {
    const { lastSequence } = await this.#bus.streamState(stream);
    if (lastSequence < known.next - 1) {
      // The server has lost its end, which it may, and counts on from there.
      known.next = 1;
      known.spans.clear();
      this.#recent.drop(subject);
    }
    for (;;) {
      const from = known.next;
      const entries = await this.#bus.readSubject(stream, subject, from, perRead);
      for (const { data, sequence } of entries) {
        known.next = sequence + 1;
        const fence = fenceOf(data);
        if (fence !== null) known.spans.note(fence, sequence);
      }
      if (entries.length > 0) this.#recent.add(subject, from, known.next, entries);
      if (entries.length < perRead) return;
    }
  }
}

/** As agents write it, a message begins with it: most need not be parsed. What else a message says is for whoever reads it. */
const beginning = Buffer.from('{"fence":');
const digitsMax = 15;
const [zero, nine, comma] = [48, 57, 44];

/** Null where it names none. */
export function fenceOf(data: Bytes): number | null {
  const at = beginning.length;
  if (data.length > at && beginning.every((byte, index) => data[index] === byte)) {
    let fence = 0;
    for (let digit = at; digit < Math.min(data.length, at + digitsMax); digit++) {
      const byte = data[digit] ?? 0;
      if (byte === comma && digit > at && fence > 0) return fence;
      if (byte < zero || byte > nine) break;
      fence = fence * 10 + byte - zero;
    }
  }
  return fencedSchema.safeParse(fromBytes(data)).data?.fence ?? null;
}
