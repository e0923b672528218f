/**
 * The lines of a file that other processes append to, as they come. It makes the file and holds it open, so that nothing else can be
 * read in its place; what a line means is the caller's. What does not fit its bounds is told once and passed over (WLOG-6).
 */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { bytesPerKiB, bytesPerMiB } from "../../protocol/byte-unit.ts";

export interface RowTailOptions {
  /** A file that is not there yet. */
  readonly path: string;
  readonly onLine: (line: string) => void;
  /** Called after a look that found nothing new. */
  readonly onQuiet: () => void;
  /** Called once for each sentence of what was not read. */
  readonly onLoss: (sentence: string) => void;
}

const lookMs = 150;
const chunkBytes = 64 * bytesPerKiB;
const lineMaxBytes = 256 * bytesPerKiB;
/** Read at once: a flood of lines must not keep this process from anything else. */
const lookMaxBytes = 256 * bytesPerKiB;
/** The hook ends before it: more can only come from somebody else. */
const fileMaxBytes = 64 * bytesPerMiB;
const newline = 0x0a;

export class RowTail {
  readonly #options: RowTailOptions;
  readonly #file: number;
  readonly #timer: NodeJS.Timeout;
  readonly #losses = new Set<string>();
  readonly #chunk = Buffer.alloc(chunkBytes);
  #at = 0;
  #lookedAt = 0;
  #isOver = false;
  /** What was read of a line that has not ended; null where it is too long, until it ends. */
  #begun: Buffer | null = Buffer.alloc(0);

  /** Throws where the file cannot be made. */
  constructor(options: RowTailOptions) {
    this.#options = options;
    this.#file = openSync(options.path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    this.#timer = setInterval(() => this.#lookAgain(), lookMs);
    this.#timer.unref();
  }

  /** Reads what there is by now, or much of it; true where there may be more. */
  look(): boolean {
    const until = this.#at + lookMaxBytes;
    while (!this.#isOver && this.#at < until) {
      const bytes = this.#next();
      if (bytes === null) return false;
      this.#at += bytes.length;
      if (this.#at <= fileMaxBytes) this.#take(bytes);
      else this.#stop(`of more than ${fileMaxBytes / bytesPerMiB} MiB of what it logs the rest is not read`);
    }
    return !this.#isOver;
  }

  /** Resolves when all is read that there is. */
  async settle(): Promise<void> {
    while (this.look()) await nextTurn();
  }

  /** Reads no more. */
  close(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    closeSync(this.#file);
  }

  #lookAgain(): void {
    this.look();
    if (this.#at === this.#lookedAt) this.#options.onQuiet();
    this.#lookedAt = this.#at;
  }

  /** Null where there is no more for now. */
  #next(): Buffer | null {
    try {
      const read = readSync(this.#file, this.#chunk, 0, chunkBytes, this.#at);
      return read === 0 ? null : this.#chunk.subarray(0, read);
    } catch {
      this.#stop("what it logs could not be read on");
      return null;
    }
  }

  #stop(sentence: string): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#lose(sentence);
  }

  #take(bytes: Buffer): void {
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      this.#append(bytes.subarray(from, end));
      if (this.#begun !== null && this.#begun.length > 0) this.#options.onLine(this.#begun.toString("utf8"));
      this.#begun = Buffer.alloc(0);
      from = end + 1;
    }
    this.#append(bytes.subarray(from));
  }

  #append(bytes: Buffer): void {
    if (this.#begun === null) return;
    if (this.#begun.length + bytes.length <= lineMaxBytes) {
      this.#begun = Buffer.concat([this.#begun, bytes]);
      return;
    }
    this.#begun = null;
    this.#lose(`what it logs at once takes more than ${lineMaxBytes / bytesPerKiB} KiB, and is not read`);
  }

  #lose(sentence: string): void {
    if (this.#losses.has(sentence)) return;
    this.#losses.add(sentence);
    this.#options.onLoss(sentence);
  }
}
