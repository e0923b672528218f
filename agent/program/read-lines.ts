/**
 * A stream of text as lines, whatever ends them, and of a line that was written over and over (a progress bar) the last
 * state. What a line means is the caller's.
 */
import type { Readable } from "node:stream";

export interface LineReaderOptions {
  /** Whatever was written, also what was written over later: once each. */
  readonly onText: (text: string) => void;
  /** What stands in the end. */
  readonly onLine: (line: string) => void;
  /** Told how many characters came, before their lines. */
  readonly onCount: (characters: number) => void;
  /** Waited for before more is read; null: go on. */
  readonly ready: () => Promise<void> | null;
}

/** Of a longer line its end is kept. */
const lineCharactersMax = 100_000;

export class LineReader {
  readonly #stream: Readable;
  readonly #options: LineReaderOptions;
  /** What came since the last line end or return of the carriage. */
  #rest = "";
  /** What the carriage returned from; null at the beginning of a line. */
  #overwritten: string | null = null;
  #waits = false;

  constructor(stream: Readable, options: LineReaderOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#take(text));
    stream.on("end", () => this.end());
    stream.on("error", () => this.end());
  }

  /** It does not read, for the reader of its lines has enough. */
  get waits(): boolean {
    return this.#waits;
  }

  /** Reads no more; what stands in a line that was not ended is told. */
  end(): void {
    this.#stream.destroy();
    if (this.#rest !== "" || this.#overwritten !== null) this.#endLine();
  }

  #take(text: string): void {
    this.#options.onCount(text.length);
    let from = 0;
    for (const { 0: end, index } of text.matchAll(/[\r\n]/g)) {
      this.#rest += text.slice(from, index);
      from = index + 1;
      if (end === "\r") this.#return();
      else this.#endLine();
    }
    this.#rest = (this.#rest + text.slice(from)).slice(-lineCharactersMax);
    const ready = this.#options.ready();
    if (ready === null) return;
    this.#waits = true;
    this.#stream.pause();
    void ready.then(() => {
      this.#waits = false;
      this.#stream.resume();
    });
  }

  /** The carriage returns: what stands there is read, and stays unless something is written over it. */
  #return(): void {
    if (this.#rest === "") return;
    this.#options.onText(this.#rest);
    this.#overwritten = this.#rest;
    this.#rest = "";
  }

  #endLine(): void {
    const text = this.#rest;
    const stands = text === "" ? (this.#overwritten ?? "") : text;
    this.#rest = "";
    this.#overwritten = null;
    if (text !== "") this.#options.onText(text);
    this.#options.onLine(stands);
  }
}
