/** A stream of text as lines (`line-screen.ts`), no faster than their reader can take them. What a line means is the caller's. */
import type { Readable } from "node:stream";
import { LineScreen, type LineScreenOptions } from "./line-screen.ts";

export interface LineReaderOptions extends LineScreenOptions {
  /** Told how many characters came, before their lines. */
  readonly onCount: (characters: number) => void;
  /** Waited for before more is read; null: go on. */
  readonly ready: () => Promise<void> | null;
}

export class LineReader {
  readonly #stream: Readable;
  readonly #options: LineReaderOptions;
  readonly #screen: LineScreen;
  #waits = false;

  constructor(stream: Readable, options: LineReaderOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#screen = new LineScreen(options);
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
    this.#screen.end();
  }

  #take(text: string): void {
    this.#options.onCount(text.length);
    this.#screen.take(text);
    const ready = this.#options.ready();
    if (ready === null) return;
    this.#waits = true;
    this.#stream.pause();
    void ready.then(() => {
      this.#waits = false;
      this.#stream.resume();
    });
  }
}
