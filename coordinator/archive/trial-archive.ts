/**
 * ARCHIVE-5: what several ended trials said, as one artifact. Of each its messages, with the attempt that said each, where its stream had it and when it
 * took it, so that what is read of it is what the stream would have given. Pure bytes; which trials, and where archives lie, is the leader's.
 *
 * An archive: 16 bytes of `archiveMark`, 4 of the index's length (big-endian), the index, then blocks of some trials each. Index and
 * blocks are JSON behind gzip, so one trial is read without the rest. Not in other threads: a block takes a millisecond.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import * as z from "zod";
import { anyValue, storedList } from "../../protocol/bound.ts";
import type { Bytes } from "../../protocol/bus/bus.ts";
import { bytesPerKiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { fenceSchema, trialIdSchema, type TrialId } from "../../protocol/id.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";

const archiveMark: Bytes = new TextEncoder().encode("trialmesh-said-1");
const headBytes = archiveMark.length + 4;
/** A block is closed with the trial that makes it as large, before gzip. */
const blockCharacters = 64 * bytesPerKiB;
/** The leader does it beside its work: a fifth of the time of the usual one, for a twentieth more bytes. */
const gzipLevel = 3;
/** Nothing is unpacked to more: all that one agent's stream keeps is less. */
const unpackedBytesMax = 256 * bytesPerMiB;

/** A message: who said it (`fence`, and which of the attempt's subjects), where and when its stream took it, and what it says beside the fence. */
export interface Said {
  readonly fence: number;
  readonly place: number;
  readonly sequence: number;
  /** ms since the Unix epoch. */
  readonly storedAt: number;
  readonly body: unknown;
}

export interface ArchivedTrial {
  readonly trial: TrialId;
  /** By voice, each in order of its sequences. */
  readonly said: readonly Said[];
}

const count = z.int().nonnegative();
const indexSchema = z.object({
  /** The stream's last sequence when it was read: what came later is not in here. */
  to: count,
  /** Length of each block. */
  blocks: storedList(count),
  /** Trial, its block, and which in the block. */
  trials: storedList(z.tuple([trialIdSchema, count, count])),
});
/** Of each message its voice, sequence and time, the last two as what they are more than those before. */
const memberSchema = z.object({
  voices: storedList(z.tuple([fenceSchema, count])),
  said: storedList(z.tuple([count, z.int(), z.number(), anyValue])),
});
const blockSchema = storedList(memberSchema);
type Member = z.infer<typeof memberSchema>;

/** `to`: the stream's last sequence before it was read. Trials that said nothing need not be given. */
export function writeArchive(trials: readonly ArchivedTrial[], to: number): Bytes {
  const blocks: Bytes[] = [];
  const places: [TrialId, number, number][] = [];
  let open: string[] = [];
  let openCharacters = 0;
  const close = () => {
    if (open.length > 0) blocks.push(gzipSync(`[${open.join()}]`, { level: gzipLevel }));
    open = [];
    openCharacters = 0;
  };
  for (const { said, trial } of trials) {
    const member = JSON.stringify(memberOf(said));
    places.push([trial, blocks.length, open.length]);
    open.push(member);
    openCharacters += member.length;
    if (openCharacters >= blockCharacters) close();
  }
  close();
  const index = gzipSync(toBytes({ to, blocks: blocks.map(({ length }) => length), trials: places }));
  const head = Buffer.alloc(headBytes);
  head.set(archiveMark);
  head.writeUInt32BE(index.length, archiveMark.length);
  return Buffer.concat([head, index, ...blocks]);
}

type Places = ReadonlyMap<TrialId, readonly [block: number, at: number]>;

export class TrialArchive {
  readonly to: number;
  readonly #blocks: readonly Bytes[];
  readonly #places: Places;
  /** The block that was read last: whoever reads many trials reads them in their order. */
  #last: { readonly block: number; readonly members: readonly Member[] } | null = null;

  private constructor(to: number, blocks: readonly Bytes[], places: Places) {
    this.to = to;
    this.#blocks = blocks;
    this.#places = places;
  }

  /** Null where these bytes are no archive. */
  static open(data: Bytes): TrialArchive | null {
    if (data.length < headBytes || !archiveMark.every((byte, at) => data[at] === byte)) return null;
    const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    let at = headBytes + view.readUInt32BE(archiveMark.length);
    const index = indexSchema.safeParse(unpacked(data.subarray(headBytes, at)));
    if (!index.success) return null;
    const { to, trials } = index.data;
    const blocks = index.data.blocks.map((length) => data.subarray(at, (at += length)));
    return new TrialArchive(to, blocks, new Map(trials.map(([trial, block, of]) => [trial, [block, of]])));
  }

  /** What the trial said; nothing where it is not in here. Null where its block cannot be read. */
  read(trial: TrialId): readonly Said[] | null {
    const place = this.#places.get(trial);
    if (place === undefined) return [];
    const [block, at] = place;
    const member = this.#members(block)[at];
    return member === undefined ? null : saidIn(member);
  }

  /** None where it cannot be read. */
  #members(block: number): readonly Member[] {
    if (this.#last?.block !== block) {
      const bytes = this.#blocks[block];
      const parsed = bytes === undefined ? undefined : blockSchema.safeParse(unpacked(bytes));
      this.#last = { block, members: parsed?.data ?? [] };
    }
    return this.#last.members;
  }
}

/** Undefined where they cannot be unpacked. */
function unpacked(bytes: Bytes): unknown {
  try {
    return fromBytes(gunzipSync(bytes, { maxOutputLength: unpackedBytesMax }));
  } catch {
    return undefined;
  }
}

function memberOf(said: readonly Said[]): Member {
  const voices = new Map<string, number>();
  const named: Member["voices"] = [];
  let [sequenceBefore, storedBefore] = [0, 0];
  const messages = said.map(({ body, fence, place, sequence, storedAt }): Member["said"][number] => {
    const key = `${fence} ${place}`;
    const voice = voices.get(key) ?? voices.set(key, named.push([fence, place]) - 1).size - 1;
    const message: Member["said"][number] = [voice, sequence - sequenceBefore, storedAt - storedBefore, body];
    [sequenceBefore, storedBefore] = [sequence, storedAt];
    return message;
  });
  return { voices: named, said: messages };
}

function saidIn({ said, voices }: Member): readonly Said[] | null {
  let [sequence, storedAt] = [0, 0];
  const found: Said[] = [];
  for (const [index, moreSequence, moreMs, body] of said) {
    const voice = voices[index];
    if (voice === undefined) return null;
    const [fence, place] = voice;
    sequence += moreSequence;
    storedAt += moreMs;
    found.push({ fence, place, sequence, storedAt, body });
  }
  return found;
}
