/**
 * What a program said last, and which of it says why it failed: the line that names the error, not what came after it (a
 * progress bar, a version, the traces of other threads). It remembers the last few lines only.
 */
import { saysOutOfMemory } from "./out-of-memory.ts";

const linesMax = 40;
const lineCharactersMax = 1_000;

const pythonTrace = /^\s*Traceback \(most recent call last\)/;
/** JavaScript and Java, Go, Rust, R and most others, at the beginning of a line. */
const errorLine =
  /^(?:Uncaught |Exception in thread |panic: |thread '.*' panicked|fatal(?: error)?: |Error\b|[\w$.]*(?:Error|Exception): )/;
/** tqdm and its like. */
const progressBar = /^\s*\d+%\|/;

export class LastWords {
  readonly #errors: string[] = [];
  #printed = "";
  #ofMemory = false;

  /** Its error output spoke of memory that ran out. */
  get ofMemory(): boolean {
    return this.#ofMemory;
  }

  hear(line: string, stream: "out" | "err"): void {
    if (stream === "err") this.#ofMemory ||= saysOutOfMemory(line);
    if (line.trim() === "" || progressBar.test(line)) return;
    const kept = line.slice(0, lineCharactersMax).trimEnd();
    if (stream === "out") this.#printed = kept;
    else if (this.#errors.push(kept) > linesMax) this.#errors.shift();
  }

  /** Of its error output the line that says why it ended; what it printed last where it has none; empty where it said nothing. */
  why(): string {
    const trace = this.#errors.findLastIndex((line) => pythonTrace.test(line));
    const raised = trace < 0 ? undefined : this.#errors.slice(trace + 1).find((line) => /^\S/.test(line));
    const named = raised ?? this.#errors.findLast((line) => errorLine.test(line)) ?? this.#errors.at(-1);
    return (named ?? this.#printed).trim();
  }
}
