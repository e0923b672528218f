/**
 * Looks after the journal on the server, while a coordinator leads or stands by: whether it is there, whether it still ends where
 * it was seen to end, and, a slice at each look, whether every message is the one it was. What differs in the copy is mended from
 * it. It decides nothing: whoever looks is told by JournalBroken, and halts.
 */
import { plural } from "../../protocol/plural.ts";
import { hashOf } from "./batch.ts";
import type { JournalCopy } from "./journal-copy.ts";
import { JournalBroken, startHead, type Head, type Journal, type LinkedEntry } from "./journal.ts";

/**
 * Messages are read in every so many looks. The server keeps what it read last in memory for ten seconds; asked more often, it
 * would never look at its disk again.
 */
const looksPerReading = 15;
/** Messages of one reading; more of a journal that would not be read within `readingsPerRound`. */
const messagesPerReadingMin = 2_048;
/** With a look each second an hour. */
const readingsPerRound = 240;
/** Messages read at once where nothing is to be spared. */
const messagesAtOnce = 1_024;
/** A server that has just been started may not have found its streams yet. */
const looksUntilGone = 2;
/** A message that the server counts and does not give may be one that is just being written, for so many looks. */
const looksUntilHollow = 5;

export class JournalWatch {
  readonly #journal: Journal;
  readonly #copy: JournalCopy;
  readonly #log: (line: string) => void;
  /** Up to here all of this round is as it was; the message after it is read again. */
  #checked: Head = startHead;
  #looks = 0;
  #looksWithout = 0;
  #looksHollow = 0;
  #followed = 0;
  #mended = 0;

  constructor(journal: Journal, copy: JournalCopy, log: (line: string) => void) {
    this.#journal = journal;
    this.#copy = copy;
    this.#log = log;
  }

  /** JOURNAL-8: one look. Throws JournalBroken for what is not as it was, and BusError where the server does not answer. */
  async look(): Promise<void> {
    const { end } = this.#copy;
    const state = await this.#journal.state();
    this.#looksWithout = state === null ? this.#looksWithout + 1 : 0;
    if (state === null) {
      if (end.sequence > 0 && this.#looksWithout >= looksUntilGone) throw journalGone(end);
      return;
    }
    if (state.lastSequence < end.sequence)
      throw new JournalBroken(
        `the server's journal ends at message ${state.lastSequence}, but message ${end.sequence} has been seen: it has lost its tail`,
      );
    await this.#followEnd(state.lastSequence);
    this.#looks++;
    if (this.#looks % looksPerReading !== 0) return;
    const slice = Math.max(messagesPerReadingMin, Math.ceil(end.sequence / readingsPerRound));
    for (let read = 0; read < slice; read += messagesAtOnce)
      if (await this.#check(end, Math.min(messagesAtOnce, slice - read))) break;
    await this.#keepMended();
  }

  /** All of it at once, as far as the time lasts: `goOn` is asked between two slices. */
  async readAll(goOn: () => boolean): Promise<void> {
    const { end } = this.#copy;
    while (end.sequence > 0 && !(await this.#check(end, messagesAtOnce)) && goOn());
    await this.#keepMended();
  }

  /** A server that has lost messages at its end may go on counting them: nothing would ever come of them. */
  async #followEnd(lastSequence: number): Promise<void> {
    const { end } = this.#copy;
    const isBehind = lastSequence > end.sequence && end.sequence === this.#followed;
    this.#looksHollow = isBehind ? this.#looksHollow + 1 : 0;
    this.#followed = end.sequence;
    if (this.#looksHollow < looksUntilHollow) return;
    this.#looksHollow = 0;
    // One that is there waits for whoever can read it.
    if ((await this.#journal.readLinked(end, 1)).length > 0) return;
    throw new JournalBroken(
      `the server counts ${lastSequence} messages in the journal and has none after message ${end.sequence}`,
    );
  }

  /** The next messages up to `end`, which is what was seen there. True where it was reached; the next call begins anew. */
  async #check(end: Head, limit: number): Promise<boolean> {
    const from = this.#checked;
    const count = Math.min(limit, end.sequence - from.sequence);
    if (count <= 0) return true;
    const entries = await this.#journal.readLinked(from, count);
    if (entries.length < count) {
      const missing = from.sequence + entries.length + 1;
      throw new JournalBroken(
        `the journal has no message ${missing} on the server, and message ${end.sequence} has been seen`,
      );
    }
    const last = entries.at(-1)?.head;
    const isWhole = last?.sequence === end.sequence;
    if (isWhole && last.hash !== end.hash)
      throw new JournalBroken(`journal message ${end.sequence} is not the one that was seen before`);
    // Nothing vouches for the last of a slice before the one after it is read, or it is the end.
    const vouched = isWhole ? entries : entries.slice(0, -1);
    for (const entry of vouched) this.#mend(entry);
    this.#checked = isWhole ? startHead : (vouched.at(-1)?.head ?? from);
    return isWhole;
  }

  #mend({ bytes, head }: LinkedEntry): void {
    const ours = this.#copy.at(head.sequence);
    if (ours !== null && hashOf(ours) === head.hash) return;
    this.#copy.mend(head.sequence, bytes);
    this.#mended++;
  }

  async #keepMended(): Promise<void> {
    if (this.#mended === 0) return;
    this.#log(`mended ${plural(this.#mended, "message")} in this coordinator's copy of the journal`);
    this.#mended = 0;
    await this.#copy.flush();
  }
}

function journalGone(end: Head): JournalBroken {
  return new JournalBroken(
    `the server has no journal any more, and message ${end.sequence} of it has been seen`,
  );
}
