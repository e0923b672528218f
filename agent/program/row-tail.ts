/**
 * The lines of a file that other processes append to, as they come. It makes the file and holds it open, so that nothing else can be
 * read in its place; what a line means is the caller's. What does not fit its bounds is told once and passed over (WLOG-6).
 */
import { close, constants, openSync, read } from "node:fs";
import { promisify } from "node:util";
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
/** The hook ends at half of it: more can only come from somebody else. */
const fileMaxBytes = 256 * bytesPerMiB;
const newline = 0x0a;

const readFrom = promisify(read);
const closeFile = promisify(close);

export class RowTail {
  readonly #options: RowTailOptions;
  readonly #file: number;
  readonly #timer: NodeJS.Timeout;
  readonly #losses = new Set<string>();
  readonly #chunk = Buffer.alloc(chunkBytes);
  #at = 0;
  /** What was read of a line that has not ended; null where it is too long, until it ends. */
  #begun: Buffer | null = Buffer.alloc(0);
  #look: Promise<void> | null = null;

  /** Throws where the file cannot be made. */
  constructor(options: RowTailOptions) {
    this.#options = options;
    this.#file = openSync(options.path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    this.#timer = setInterval(() => void this.#again(), lookMs);
    this.#timer.unref();
  }

  /** Reads what there is, and no more after that. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#look;
    await this.#readOn();
    await closeFile(this.#file);
  }

  async #again(): Promise<void> {
    if (this.#look !== null) return;
    this.#look = this.#readOn();
    await this.#look;
    this.#look = null;
  }

  async #readOn(): Promise<void> {
    const from = this.#at;
    for (;;) {
      const bytes = await this.#next();
      if (bytes === null) break;
      this.#at += bytes.length;
      if (this.#at > fileMaxBytes) {
        this.#lose(`of more than ${fileMaxBytes / bytesPerMiB} MiB of what it logs the rest is not read`);
        clearInterval(this.#timer);
        return;
      }
      this.#take(bytes);
    }
    if (this.#at === from) this.#options.onQuiet();
  }

  /** Null where there is no more for now. */
  async #next(): Promise<Buffer | null> {
    try {
      const { bytesRead } = await readFrom(this.#file, this.#chunk, 0, chunkBytes, this.#at);
      return bytesRead === 0 ? null : this.#chunk.subarray(0, bytesRead);
    } catch {
      this.#lose("what it logs could not be read on");
      return null;
    }
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
