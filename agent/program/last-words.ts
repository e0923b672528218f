/**
 * What a program said last, and which of it says why it failed: the line that names the error, not what came after it (a
 * progress bar, a version, the traces of other threads). It remembers the last few lines only.
 */
import { printableLine } from "../../text/printable.ts";
import { saysOutOfMemory } from "./out-of-memory.ts";
import { TraceReader } from "./trace-reader.ts";

const linesMax = 40;
const lineCharactersMax = 1_000;
/** Lack of memory is the reason where it is among the last lines, and no earlier trouble that was overcome. */
const memoryLinesMax = 5;

/** JavaScript and Java, Go, Rust, R, C++, Lua and most others, at the beginning of a line. */
const errorLine =
  /^(?:Uncaught |Exception in thread |panic: |thread '.*' (?:\(\d+\) )?panicked|fatal(?: python)?(?: error)?: |error: |terminate called |lua[\d.]*: |Error\b|[\w$.]*(?:Error|Exception)(?:: |$))/i;
/** Said beside an error by what ran it, or by what was in a hurry to end. */
const noise =
  /Warning\b|^warnings\.warn|^Node\.js v|^exit status |^Calls: |^Execution halted|^stack traceback:|^note: run with|^(?:wandb|make|npm ERR!|srun): |^\^+$/;
/** tqdm and its like. */
const progressBar = /\d%\s?[|\u2580-\u259f]/;

export class LastWords {
  readonly #heard = { out: new Heard(), err: new Heard() };

  hear(line: string, stream: "out" | "err"): void {
    const kept = printableLine(line.slice(0, lineCharactersMax)).trimEnd();
    if (kept.trim() === "" || progressBar.test(kept)) return;
    this.#heard[stream].hear(kept);
    // What runs on after an error has overcome it.
    this.#heard.err.trace.passes(1);
    this.#heard.out.trace.passes(1);
  }

  /** Its error output spoke of memory that ran out, at its end. */
  get ofMemory(): boolean {
    const { err } = this.#heard;
    return saysOutOfMemory(this.why()) || err.lines.slice(-memoryLinesMax).some(saysOutOfMemory);
  }

  /** Of its error output the line that says why it ended; what it printed last where it has none; empty where it said nothing. */
  why(): string {
    const { err, out } = this.#heard;
    return (
      err.trace.raised ??
      err.named() ??
      out.trace.raised ??
      err.trace.beside ??
      err.last() ??
      out.named() ??
      out.last() ??
      ""
    ).trim();
  }
}

/** The last lines of one stream. */
class Heard {
  readonly lines: string[] = [];
  readonly trace = new TraceReader();

  hear(line: string): void {
    if (this.lines.push(line) > linesMax) this.lines.shift();
    this.trace.hear(line);
  }

  /** The last line that names an error. */
  named(): string | null {
    const at = this.lines.findLastIndex((line) => errorLine.test(line) && !noise.test(line));
    const line = this.lines[at];
    if (line === undefined) return null;
    const next = this.lines[at + 1]?.trim() ?? "";
    // Where it is: what it is stands in the next line.
    const isWhere = line.endsWith(":") || next.startsWith("what(): ");
    return isWhere && next !== "" ? `${line.replace(/:$/, "")}: ${next}` : line;
  }

  /** The last line that is neither noise nor belongs to the line above it. */
  last(): string | null {
    const own = this.lines.findLast((line) => !/^\s/.test(line) && !noise.test(line));
    return own ?? this.lines.at(-1) ?? null;
  }
}
