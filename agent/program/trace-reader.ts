/**
 * Reads Python's traces line by line: which exception ended the program, as against those that were raised beside it (in a thread,
 * while it ended) and those it has overcome. It remembers no trace, only what was raised.
 */

const header = /^(.*?)Traceback \(most recent call last\)/;
const headerCharactersMax = 80;
/** Said before the trace of an exception that ends nothing. */
const besideHeader =
  /^(?:Exception ignored (?:in|while)|Exception in (?:thread|callback)|Error in (?:atexit|sys\.excepthook)|Task exception was never)/;
/** Raised because another process or thread had failed, which says why in its own trace. */
const passedOn = /(?:ChildFailed|CalledProcess)Error|Process(?:Raised|Exited)Exception/;
/** IPython names the exception before the trace, and again behind it. */
const namedBefore = /^([\w.]+(?:Error|Exception|Interrupt))\s+$/;
const inBox = /^[\u2500-\u257f]/;
const inGroup = /^\s*\|\s/;
/** So many more lines, and the program has gone on after it. */
const overcomeLines = 40;

interface Trace {
  /** What stands before each of its lines, as a number of the process. */
  readonly prefix: string;
  readonly isBeside: boolean;
  /** The name with which its last line begins; null: that is the first line that is not indented. */
  readonly awaits: string | null;
  readonly isGroup: boolean;
}

export class TraceReader {
  #trace: Trace | null = null;
  #before = "";
  #raised: string | null = null;
  #beside: string | null = null;
  /** It ends with a colon: what it is stands in the next line. */
  #isOpen = false;
  #linesSince = 0;

  /** The exception that was raised last, unless the program has gone on since; null where there is none. */
  get raised(): string | null {
    return this.#linesSince > overcomeLines ? null : this.#raised;
  }

  /** The same of an exception that did not end the program itself. */
  get beside(): string | null {
    return this.#beside;
  }

  /** So many lines came, of whatever stream. */
  passes(lines: number): void {
    this.#linesSince += lines;
  }

  hear(line: string): void {
    const begun = header.exec(line.slice(0, headerCharactersMax));
    if (begun !== null) this.#begin(begun[1] ?? "");
    else if (this.#trace !== null) this.#within(this.#trace, line);
    else if (this.#isOpen) {
      this.#raised = `${this.#raised ?? ""} ${line.trim()}`;
      this.#isOpen = false;
    }
    this.#before = line;
  }

  #begin(prefix: string): void {
    this.#trace = {
      prefix,
      isBeside: besideHeader.test(this.#before),
      awaits: namedBefore.exec(prefix)?.[1] ?? null,
      isGroup: prefix.includes("Exception Group"),
    };
    this.#isOpen = false;
  }

  #within(trace: Trace, line: string): void {
    const said = line.startsWith(trace.prefix) ? line.slice(trace.prefix.length) : line;
    const own = trace.isGroup ? said.replace(inGroup, "") : said;
    if (own === "" || /^\s/.test(own) || inBox.test(own)) return;
    if (trace.awaits !== null && !own.startsWith(trace.awaits)) return;
    this.#trace = null;
    if (trace.isBeside) {
      this.#beside ??= own;
      return;
    }
    if (this.raised !== null && passedOn.test(own)) return;
    this.#raised = own;
    this.#isOpen = own.endsWith(":");
    this.#linesSince = 0;
  }
}
