/**
 * The journal as a server has it, over a coordinator's connection: read to be salvaged, written to an empty stream, compared with
 * what it should be. Reads message by message and believes no count.
 */
import type { JournalSource, WholeJournal } from "../../coordinator/journal/salvage.ts";
import { hashOf } from "../../coordinator/journal/batch.ts";
import { BusError, type Bus, type Entry } from "../../protocol/bus/bus.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { streamSpecsOf, streamsOf } from "../../protocol/subjects.ts";

const messagesPerRead = 1_024;
/** Appends on their way at once. */
const appendsAtOnce = 256;

/** Where a journal lies that is to be made whole. */
export interface JournalPlace {
  /** Null where there is not even a server to be had with it. */
  read(heldAt: (sequence: number) => Uint8Array | null): Promise<ServerJournal | null>;
  /** Where the damaged one lies now; null where it is nowhere. `subject`: what the stream stores. */
  replace(whole: WholeJournal, found: ServerJournal | null, subject: string): Promise<Outcome<string | null>>;
  close(): Promise<void>;
}

export interface ServerJournal extends JournalSource {
  readonly hashes: ReadonlyMap<number, string>;
  /** What it stores; null where there is no such stream. */
  readonly subject: string | null;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** `heldAt`: a message that somebody else has; one with the same hash is not kept twice. */
export async function readServerJournal(
  bus: Bus,
  mesh: string,
  heldAt: (sequence: number) => Uint8Array | null,
): Promise<ServerJournal> {
  const stream = streamsOf(mesh).journal;
  const hashes = new Map<number, string>();
  const own = new Map<number, Uint8Array>();
  const at = (sequence: number) => own.get(sequence) ?? (hashes.has(sequence) ? heldAt(sequence) : null);
  const none = { at, hashes, subject: null, top: 0, firstSequence: 1, lastSequence: 0 };
  if (!(await hasStream(bus, stream))) return none;
  const { firstSequence, lastSequence } = await bus.streamState(stream);
  let top = 0;
  for (let from = 1; from <= lastSequence; from += messagesPerRead) {
    for (const { data, sequence } of await readSome(bus, stream, from, lastSequence)) {
      const hash = hashOf(data);
      const held = heldAt(sequence);
      hashes.set(sequence, hash);
      if (held === null || hashOf(held) !== hash) own.set(sequence, data);
      top = sequence;
    }
  }
  const [subject = null] = await bus.streamSubjects(stream);
  return { at, hashes, subject, top, firstSequence, lastSequence };
}

export async function hasStream(bus: Bus, stream: string): Promise<boolean> {
  try {
    await bus.streamState(stream);
    return true;
  } catch (error) {
    if (error instanceof BusError && error.kind === "no-stream") return false;
    throw error;
  }
}

/** Messages from `from` on; where the server fails at one of them, the others. */
async function readSome(bus: Bus, stream: string, from: number, last: number): Promise<readonly Entry[]> {
  const until = Math.min(last, from + messagesPerRead - 1);
  try {
    const read = await bus.readStream(stream, from, until - from + 1);
    return read.filter(({ sequence }) => sequence <= until);
  } catch (error) {
    if (!isOfOneMessage(error)) throw error;
  }
  const found: Entry[] = [];
  for (let sequence = from; sequence <= until; sequence++) {
    try {
      found.push(
        ...(await bus.readStream(stream, sequence, 1)).filter((entry) => entry.sequence === sequence),
      );
    } catch (error) {
      if (!isOfOneMessage(error)) throw error;
    }
  }
  return found;
}

function isOfOneMessage(error: unknown): boolean {
  return error instanceof BusError && (error.kind === "refused" || error.kind === "unavailable");
}

/** Makes the stream, which there is not yet. */
export async function makeJournal(bus: Bus, mesh: string, subject: string): Promise<void> {
  const [spec] = streamSpecsOf(mesh, 1, "");
  if (spec === undefined) throw new Error("the first stream is the journal");
  await bus.ensureStream({ ...spec, subjects: [subject] });
}

/** Writes the messages from `from` on, each after the one before it. Throws BusError, or where another writes there too. */
export async function writeServerJournal(
  bus: Bus,
  mesh: string,
  subject: string,
  whole: WholeJournal,
  from: number,
): Promise<void> {
  const stream = streamsOf(mesh).journal;
  const { sequence: last } = whole.end;
  for (let first = from; first <= last; first += appendsAtOnce) {
    const count = Math.min(appendsAtOnce, last - first + 1);
    const written = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        bus.append(stream, subject, whole.at(first + index), { expectLastSequence: first + index - 1 }),
      ),
    );
    if (written.some(({ kind }) => kind !== "appended"))
      throw new BusError("refused", "somebody else writes to the journal; end every coordinator first");
  }
}

/** What a server's journal differs in from what it should be, in a few words; null where it is just that. */
export function journalFault(found: ServerJournal, { end, hashes }: WholeJournal): string | null {
  if (found.subject === null) return "there is no journal";
  const differs = hashes.findIndex((hash, index) => found.hashes.get(index + 1) !== hash);
  if (differs >= 0)
    return `message ${differs + 1} is ${found.hashes.has(differs + 1) ? "altered" : "missing"}`;
  if (found.lastSequence !== end.sequence || found.firstSequence !== 1)
    return `it counts messages ${found.firstSequence} to ${found.lastSequence}, and has 1 to ${end.sequence}`;
  return null;
}

/** The sequences at which it differs, as a person reads them: `12, 300 to 412`. */
export function differingIn(found: ServerJournal, { hashes }: WholeJournal): string {
  const ranges: { from: number; to: number }[] = [];
  for (const [index, hash] of hashes.entries()) {
    if (found.hashes.get(index + 1) === hash) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last.to === index) last.to = index + 1;
    else ranges.push({ from: index + 1, to: index + 1 });
  }
  const shown = ranges
    .slice(0, rangesShown)
    .map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`));
  return ranges.length > rangesShown ? `${shown.join(", ")} and others` : shown.join(", ");
}

const rangesShown = 5;
