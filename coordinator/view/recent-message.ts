/**
 * The messages of some subjects that were read last, so that whoever wants them right after they were looked at need not ask the server again.
 * A memory of bounded size, of which the oldest go first: what is not here is in the stream. Not where they lie (`point-index.ts`).
 */
import type { DatedEntry } from "../../protocol/bus/bus.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";

const recentBytesMax = 8 * bytesPerMiB;
/** What one takes in memory beside its bytes. */
const aroundBytes = 200;

/** All messages of a subject from one sequence on and before another. */
interface Block {
  readonly subject: string;
  readonly from: number;
  readonly before: number;
  readonly entries: readonly DatedEntry[];
  readonly bytes: number;
}

export class RecentMessages {
  readonly #bytesMax: number;
  /** In the order in which they came; of each subject each begins where the one before it ends. */
  readonly #blocks = new Set<Block>();
  readonly #of = new Map<string, Block[]>();
  #bytes = 0;

  constructor(bytesMax = recentBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** What a read of the subject from sequence `from` on has given, in order; all there is before `before`. */
  add(subject: string, from: number, before: number, entries: readonly DatedEntry[]): void {
    const last = this.#of.get(subject)?.at(-1);
    if (last !== undefined && last.before !== from) this.drop(subject);
    const bytes = entries.reduce((sum, { data }) => sum + data.length + aroundBytes, 0);
    const block = { subject, from, before, entries, bytes };
    this.#blocks.add(block);
    this.#of.set(subject, [...(this.#of.get(subject) ?? []), block]);
    this.#bytes += bytes;
    for (const oldest of this.#blocks) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  /** Those of sequences from `first` to `last`; null where some of them may not be here. */
  between(subject: string, first: number, last: number): readonly DatedEntry[] | null {
    const blocks = this.#of.get(subject) ?? [];
    const [oldest] = blocks;
    const newest = blocks.at(-1);
    if (oldest === undefined || newest === undefined || oldest.from > first || newest.before <= last)
      return null;
    return blocks
      .filter(({ before, from }) => from <= last && before > first)
      .flatMap(({ entries }) => entries.filter(({ sequence }) => sequence >= first && sequence <= last));
  }

  drop(subject: string): void {
    for (const block of this.#of.get(subject) ?? []) this.#remove(block);
  }

  #remove(block: Block): void {
    if (!this.#blocks.delete(block)) return;
    this.#bytes -= block.bytes;
    const left = (this.#of.get(block.subject) ?? []).filter((one) => one !== block);
    if (left.length === 0) this.#of.delete(block.subject);
    else this.#of.set(block.subject, left);
  }
}
