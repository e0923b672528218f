/**
 * One whole journal out of several that may be damaged: a coordinator's copies, what the server still has. From the last message
 * that is known or signed each names the one before it by its hash, so whatever has that hash is the right one, wherever it lies.
 * Reads only; what the outcome is used for is the caller's (JOURNAL-5).
 */
import { genesisHash, hashOf } from "./batch.ts";
import type { Head, Position } from "./journal.ts";
import { prevOf } from "./link.ts";
import type { SignedAt } from "./signed-at.ts";

export interface JournalSource {
  /** The highest sequence it may have a message for. */
  readonly top: number;
  readonly at: (sequence: number) => Uint8Array | null;
}

export interface WholeJournal {
  readonly kind: "whole";
  readonly end: Position;
  /** By sequence less one. */
  readonly hashes: readonly string[];
  readonly at: (sequence: number) => Uint8Array;
}

/** Messages that were once written and lie nowhere any more. */
export interface LostMessages {
  readonly kind: "lost";
  readonly from: number;
  readonly to: number;
}

export type Salvage =
  | WholeJournal
  | LostMessages
  /** There is no message at all, nor anything that says there was one. */
  | { readonly kind: "nothing" }
  /** Two that are known to have stood at the same place: histories that part cannot be joined. */
  | { readonly kind: "parted"; readonly sequence: number };

export interface SalvageOptions {
  readonly sources: readonly JournalSource[];
  /** What is known to have stood where. */
  readonly heads: readonly Head[];
  readonly signedAt: SignedAt;
}

export function salvageJournal(options: SalvageOptions): Salvage {
  const { heads, signedAt, sources } = options;
  const known = heads.toSorted((one, other) => other.sequence - one.sequence)[0] ?? null;
  const signed = lastSigned(options);
  if (known === null && signed === null) return { kind: "nothing" };
  const end = signed === null || (known !== null && known.sequence > signed.sequence) ? known : signed;
  if (end === null || end.sequence === 0) return { kind: "nothing" };

  const hashes: string[] = Array.from({ length: end.sequence }, () => genesisHash);
  const chosen = new Uint8Array(end.sequence);
  let expected = end.hash;
  for (let sequence = end.sequence; sequence >= 1; sequence--) {
    const source = sources.findIndex(({ at }) => hasHash(at(sequence), expected));
    if (source < 0) return lostUpTo(sequence, end.sequence, sources);
    hashes[sequence - 1] = expected;
    chosen[sequence - 1] = source;
    expected = prevOf(sources[source]?.at(sequence) ?? new Uint8Array()) ?? "none";
  }
  if (expected !== genesisHash) return { kind: "lost", from: 1, to: 1 };
  const parted = heads.find(({ hash, sequence }) => sequence > 0 && hashes[sequence - 1] !== hash);
  if (parted !== undefined) return { kind: "parted", sequence: parted.sequence };
  const at = (sequence: number): Uint8Array => {
    const bytes = sources[chosen[sequence - 1] ?? 0]?.at(sequence) ?? null;
    if (bytes === null) throw new Error(`broken invariant: message ${sequence} was there a moment ago`);
    return bytes;
  };
  const signedFrom = signedAt(end.sequence, at(end.sequence))?.signedFrom ?? null;
  return { kind: "whole", end: { ...end, signedFrom }, hashes, at };
}

/** The last message in any source that a coordinator has signed. */
function lastSigned({ signedAt, sources }: SalvageOptions): Position | null {
  const top = sources.reduce((most, source) => Math.max(most, source.top), 0);
  for (let sequence = top; sequence >= 1; sequence--) {
    for (const { at } of sources) {
      const bytes = at(sequence);
      const position = bytes === null ? null : signedAt(sequence, bytes);
      if (position !== null) return position;
    }
  }
  return null;
}

function hasHash(bytes: Uint8Array | null, hash: string): boolean {
  return bytes !== null && hashOf(bytes) === hash;
}

/** As far down as no source has any message at all; below that one may lie that is the right one. */
function lostUpTo(missing: number, end: number, sources: readonly JournalSource[]): LostMessages {
  let from = missing;
  while (from > 1 && sources.every(({ at }) => at(from - 1) === null)) from--;
  // Where nothing above it is held either, all up to the end is lost.
  const isTail = missing === end || sources.every(({ top }) => top <= missing);
  return { kind: "lost", from, to: isTail ? end : missing };
}
